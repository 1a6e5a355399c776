package io.gatehand

import io.gatehand.internal.NativeLibrary
import java.io.Closeable
import java.util.concurrent.CancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull

/**
 * The operations of an [Agent] for threads that may wait, as Java calls them. Interrupting the
 * thread cancels what it waits for, within 100 ms. What they do is said there.
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
    public fun request(request: ApiRequest): ApiResponse =
        (agent as? ScannerAgent)?.requestHere(request, ALWAYS) ?: wait { agent.request(request) }

    /** See [Agent.stream]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun stream(request: ApiRequest): StreamedResponse =
        (agent as? ScannerAgent)?.streamHere(request, ALWAYS) ?: wait { agent.stream(request) }

    /**
     * The same for what someone else may give up meanwhile, as a client's cancelled call.
     *
     * @param isWanted Asked about ten times a second, on this thread, until the answer begins; it must not wait, as
     *   the call ends no sooner.
     * @throws CancellationException [isWanted] said no.
     */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun stream(request: ApiRequest, isWanted: () -> Boolean): StreamedResponse =
        (agent as? ScannerAgent)?.streamHere(request, isWanted) ?: waitWhile(isWanted) { agent.stream(request) }

    /** See [Agent.refresh], and [stream] for [isWanted]. */
    @Throws(GatehandException::class, InterruptedException::class)
    public fun refresh(isWanted: () -> Boolean): Identity = waitWhile(isWanted) { agent.refresh() }

    /** See [Agent.heartbeat]. */
    @Throws(InterruptedException::class)
    public fun heartbeat(): Heartbeat = wait { agent.heartbeat() }

    private fun <T> wait(operation: suspend () -> T): T {
        NativeLibrary.checkMayWait()
        return runBlocking { operation() }
    }

    private fun <T> waitWhile(isWanted: () -> Boolean, operation: suspend () -> T): T = wait {
        coroutineScope {
            val running = async { operation() }
            while (withTimeoutOrNull(BETWEEN_LOOKS) { running.join() } == null) {
                if (isWanted()) continue
                running.cancelAndJoin()
                // It may have ended just before.
                if (!running.isCancelled) (running.await() as? Closeable)?.close()
                throw CancellationException("nobody wants the answer any more")
            }
            running.await()
        }
    }

    private companion object {
        const val BETWEEN_LOOKS = 100L
        val ALWAYS = { true }
    }
}
