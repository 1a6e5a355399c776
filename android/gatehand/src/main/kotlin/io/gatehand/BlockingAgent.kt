package io.gatehand

import io.gatehand.internal.Native
import kotlinx.coroutines.runBlocking

/**
 * The operations of a [ScannerAgent] for threads that may wait, as Java calls them. Interrupting the
 * thread cancels what it waits for. What they do is said there.
 *
 * All of these throw [IllegalStateException] on a thread of the library, where a dispatcher of the app's
 * own might bring a coroutine that goes on in place.
 */
public class BlockingAgent internal constructor(private val agent: ScannerAgent) {
    /** See [ScannerAgent.initialize]. */
    @JvmOverloads
    @Throws(GatehandException::class, InterruptedException::class)
    public fun initialize(enrolment: ConfirmedEnrolment, replace: Boolean = false): Identity =
        wait { agent.initialize(enrolment, replace) }

    /** See [ScannerAgent.adopt]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun adopt(existing: ExistingIdentity): Identity = wait { agent.adopt(existing) }

    /** See [ScannerAgent.refresh]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun refresh(): Identity = wait { agent.refresh() }

    /** See [ScannerAgent.report]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun report(): Identity = wait { agent.report() }

    /** See [ScannerAgent.roll]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun roll(): Identity = wait { agent.roll() }

    /** See [ScannerAgent.revoke]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun revoke(): Unit = wait { agent.revoke() }

    /** See [ScannerAgent.eventSelection]. */
    @JvmOverloads
    @Throws(GatehandException::class, InterruptedException::class)
    public fun eventSelection(current: EventSelection? = null): EventSuggestion =
        wait { agent.eventSelection(current) }

    /** See [ScannerAgent.mediumKeySets]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun mediumKeySets(): List<MediumKeySet> = wait { agent.mediumKeySets() }

    /** See [ScannerAgent.request]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun request(request: ApiRequest): ApiResponse = wait { agent.request(request) }

    /** See [ScannerAgent.stream]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun stream(request: ApiRequest): StreamedResponse = wait { agent.stream(request) }

    /** See [ScannerAgent.heartbeat]. */
    @Throws(InterruptedException::class)
    public fun heartbeat(): Heartbeat = wait { agent.heartbeat() }

    private fun <T> wait(operation: suspend () -> T): T {
        Native.checkMayWait()
        return runBlocking { operation() }
    }
}
