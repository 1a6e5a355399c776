package io.gatehand.internal

import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
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
            override fun succeeded(result: ByteArray, body: ByteArray?, response: Long) {
                waiting.resume(Outcome(result, body, response)) { _, unread, _ ->
                    if (unread.response != 0L) Native.responseClose(unread.response)
                }
            }

            override fun failed(error: ByteArray) {
                waiting.resumeWithException(Failures.exception(error))
            }
        },
    )
    waiting.invokeOnCancellation { Native.cancel(call) }
}
