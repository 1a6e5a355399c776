package io.gatehand.okhttp

import java.io.Closeable
import java.io.IOException
import java.io.InterruptedIOException
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull
import okhttp3.Call

/** Waits for the agent on the thread of a call that may be cancelled meanwhile, of which OkHttp tells an interceptor nothing. */
internal object Waiting {
    private const val BETWEEN_LOOKS = 100L

    fun <T> of(call: Call, operation: suspend () -> T): T =
        try {
            runBlocking {
                val running = async { operation() }
                while (withTimeoutOrNull(BETWEEN_LOOKS) { running.join() } == null) {
                    if (!call.isCanceled()) continue
                    running.cancelAndJoin()
                    // It may have ended just before.
                    if (!running.isCancelled) (running.await() as? Closeable)?.close()
                    throw cancelled()
                }
                running.await()
            }
        } catch (interrupted: InterruptedException) {
            Thread.currentThread().interrupt()
            throw InterruptedIOException("interrupted").apply { initCause(interrupted) }
        } catch (closed: IllegalStateException) {
            throw IOException("the agent can't be asked: ${closed.message}", closed)
        }

    /** The words that OkHttp itself has for it. */
    fun cancelled(): IOException = IOException("Canceled")
}
