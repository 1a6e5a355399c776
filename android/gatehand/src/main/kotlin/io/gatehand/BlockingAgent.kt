package io.gatehand

import io.gatehand.internal.NativeLibrary
import kotlinx.coroutines.runBlocking

/**
 * The operations of an [Agent] for threads that may wait, as Java calls them. Interrupting the
 * thread cancels what it waits for. What they do is said there.
 *
 * All of these throw [IllegalStateException] on a thread of the library, where a dispatcher of the app's
 * own might bring a coroutine that goes on in place.
 */
public class BlockingAgent internal constructor(private val agent: Agent) {
    /** See [Agent.initialize]. */
    @JvmOverloads
    @Throws(GatehandException::class, InterruptedException::class)
    public fun initialize(enrolment: ConfirmedEnrolment, replace: Boolean = false): Identity =
        wait { agent.initialize(enrolment, replace) }

    /** See [Agent.adopt]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun adopt(existing: ExistingIdentity): Identity = wait { agent.adopt(existing) }

    /** See [Agent.refresh]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun refresh(): Identity = wait { agent.refresh() }

    /** See [Agent.report]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun report(): Identity = wait { agent.report() }

    /** See [Agent.roll]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun roll(): Identity = wait { agent.roll() }

    /** See [Agent.revoke]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun revoke(): Unit = wait { agent.revoke() }

    /** See [Agent.eventSelection]. */
    @JvmOverloads
    @Throws(GatehandException::class, InterruptedException::class)
    public fun eventSelection(current: EventSelection? = null): EventSuggestion =
        wait { agent.eventSelection(current) }

    /** See [Agent.mediumKeySets]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun mediumKeySets(): MediumKeySets = wait { agent.mediumKeySets() }

    /** See [Agent.request]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun request(request: ApiRequest): ApiResponse = wait { agent.request(request) }

    /** See [Agent.stream]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun stream(request: ApiRequest): StreamedResponse = wait { agent.stream(request) }

    /** See [Agent.heartbeat]. */
    @Throws(InterruptedException::class)
    public fun heartbeat(): Heartbeat = wait { agent.heartbeat() }

    private fun <T> wait(operation: suspend () -> T): T {
        NativeLibrary.checkMayWait()
        return runBlocking { operation() }
    }
}
