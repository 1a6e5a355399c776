package io.gatehand.internal

import java.nio.channels.ClosedByInterruptException
import java.nio.channels.spi.AbstractInterruptibleChannel
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExecutorCoroutineDispatcher
import kotlinx.coroutines.suspendCancellableCoroutine

/** What a call of the native library succeeded with; see [Completion.succeeded]. */
internal class Outcome(val result: ByteArray, val body: ByteArray?, val response: Long)

/**
 * Suspends until a call of the native library is done. Cancelling the coroutine cancels the call.
 *
 * @param start Starts the call and returns its id.
 */
internal suspend fun awaitCall(start: (Completion) -> Long): Outcome = suspendCancellableCoroutine { waiting ->
    val call = start(
        object : Completion {
            override fun succeeded(result: ByteArray, body: ByteArray?, response: Long) = elsewhere(waiting.context) {
                waiting.resume(Outcome(result, body, response)) { _, unread, _ ->
                    if (unread.response != 0L) Native.responseClose(unread.response)
                }
            }

            override fun failed(error: ByteArray) = elsewhere(waiting.context) {
                waiting.resumeWithException(Failures.exception(error))
            }
        },
    )
    waiting.invokeOnCancellation { Native.cancel(call) }
}

/**
 * Keeps a coroutine from going on in place, on a thread of the library: an unconfined one does, and one
 * whose executor runs at once may.
 */
private fun elsewhere(context: CoroutineContext, resume: () -> Unit) {
    val dispatcher = context[ContinuationInterceptor] as? CoroutineDispatcher
    if (dispatcher?.changesThread(context) == true) resume() else Dispatchers.Default.dispatch(EmptyCoroutineContext, resume)
}

private fun CoroutineDispatcher.changesThread(context: CoroutineContext): Boolean = when {
    this === Dispatchers.Default || this === Dispatchers.IO -> true
    this is ExecutorCoroutineDispatcher -> false
    else -> isDispatchNeeded(context)
}

/**
 * A call of the native library that is made on the thread that waits for it, which saves two changes
 * of thread. Interrupting that thread cancels the call; it is told as closing a channel would be.
 */
internal class WaitingCall : AbstractInterruptibleChannel(), Completion {
    @Volatile
    private var call = 0L
    private var outcome: Outcome? = null
    private var error: Throwable? = null

    /**
     * @param start Starts the call and returns its id.
     * @throws InterruptedException The thread was interrupted before the call was done.
     */
    fun await(start: (Completion) -> Long): Outcome {
        call = start(this)
        try {
            begin()
            Native.waitFor(call)
        } finally {
            try {
                end(true)
            } catch (_: ClosedByInterruptException) {
                // A call that is done all the same is worth more; the thread stays interrupted.
                if (outcome == null && Thread.interrupted()) throw InterruptedException()
            }
        }
        return outcome ?: throw checkNotNull(error)
    }

    override fun implCloseChannel() {
        Native.cancel(call)
    }

    override fun succeeded(result: ByteArray, body: ByteArray?, response: Long) {
        outcome = Outcome(result, body, response)
    }

    override fun failed(error: ByteArray) {
        this.error = Failures.exception(error)
    }
}
