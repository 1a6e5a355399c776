package io.gatehand.internal

import io.gatehand.ApiRequest
import java.util.concurrent.CancellationException

/** A call whose thread waits for it in the native library. */
internal class Here private constructor(private val isStillWanted: () -> Boolean) : Waiter {
    private var outcome: Outcome? = null

    override fun isWanted(): Boolean = !Thread.currentThread().isInterrupted && isStillWanted()

    override fun answered(result: ByteArray, body: ByteArray?, response: Long) {
        outcome = Outcome(result, body, response)
    }

    companion object {
        /**
         * Makes a call.
         *
         * @throws InterruptedException The thread was interrupted.
         * @throws CancellationException The call is not wanted any more.
         */
        fun wait(agent: Long, request: ApiRequest, body: ByteArray?, isStreamed: Boolean, isWanted: () -> Boolean): Outcome {
            if (Thread.interrupted()) throw InterruptedException()
            val here = Here(isWanted)
            try {
                Native.requestHere(agent, Codec.encode(request), body, isStreamed, here)
            } catch (cancelled: CancellationException) {
                throw if (Thread.interrupted()) InterruptedException().apply { initCause(cancelled) } else cancelled
            }
            return checkNotNull(here.outcome) { "the native library told no answer" }
        }
    }
}
