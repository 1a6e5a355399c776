package io.gatehand.internal

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
