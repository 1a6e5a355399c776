package io.gatehand.okhttp

import io.gatehand.Agent
import io.gatehand.BlockingAgent
import java.io.IOException
import java.io.InterruptedIOException
import java.util.concurrent.CancellationException
import okhttp3.Call

/** Waits for the agent on the thread of a call that may be cancelled meanwhile, of which OkHttp tells an interceptor nothing. */
internal object Waiting {
    /** @param operation Is given what tells whether the call is wanted still. */
    fun <T> of(call: Call, agent: Agent, operation: BlockingAgent.(() -> Boolean) -> T): T =
        try {
            agent.blocking().operation { !call.isCanceled() }
        } catch (interrupted: InterruptedException) {
            Thread.currentThread().interrupt()
            throw InterruptedIOException("interrupted").apply { initCause(interrupted) }
        } catch (_: CancellationException) {
            throw cancelled()
        } catch (closed: IllegalStateException) {
            throw IOException("the agent can't be asked: ${closed.message}", closed)
        }

    /** The words that OkHttp itself has for it. */
    fun cancelled(): IOException = IOException("Canceled")
}
