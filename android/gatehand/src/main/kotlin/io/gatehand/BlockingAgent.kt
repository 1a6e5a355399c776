package io.gatehand

import kotlinx.coroutines.runBlocking

/**
 * The operations of a [ScannerAgent] for threads that may wait, as Java calls them. Interrupting the
 * thread cancels what it waits for. What they do is said there.
 */
public class BlockingAgent internal constructor(private val agent: ScannerAgent) {
    /** See [ScannerAgent.initialize]. */
    @JvmOverloads
    @Throws(GatehandException::class, InterruptedException::class)
    public fun initialize(enrolment: ConfirmedEnrolment, replace: Boolean = false): Identity =
        runBlocking { agent.initialize(enrolment, replace) }

    /** See [ScannerAgent.adopt]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun adopt(existing: ExistingIdentity): Identity = runBlocking { agent.adopt(existing) }

    /** See [ScannerAgent.refresh]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun refresh(): Identity = runBlocking { agent.refresh() }

    /** See [ScannerAgent.roll]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun roll(): Identity = runBlocking { agent.roll() }

    /** See [ScannerAgent.revoke]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun revoke(): Unit = runBlocking { agent.revoke() }

    /** See [ScannerAgent.eventSelection]. */
    @JvmOverloads
    @Throws(GatehandException::class, InterruptedException::class)
    public fun eventSelection(current: EventSelection? = null): EventSuggestion =
        runBlocking { agent.eventSelection(current) }

    /** See [ScannerAgent.mediumKeySets]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun mediumKeySets(): List<MediumKeySet> = runBlocking { agent.mediumKeySets() }

    /** See [ScannerAgent.request]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun request(request: ApiRequest): ApiResponse = runBlocking { agent.request(request) }

    /** See [ScannerAgent.stream]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun stream(request: ApiRequest): StreamedResponse = runBlocking { agent.stream(request) }

    /** See [ScannerAgent.heartbeat]. */
    @Throws(InterruptedException::class)
    public fun heartbeat(): Heartbeat = runBlocking { agent.heartbeat() }
}
