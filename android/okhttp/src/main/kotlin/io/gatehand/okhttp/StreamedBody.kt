package io.gatehand.okhttp

import io.gatehand.ApiBody
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import java.io.IOException
import java.net.ProtocolException
import java.util.concurrent.atomic.AtomicReference
import kotlin.concurrent.thread
import okhttp3.RequestBody
import okio.Pipe
import okio.buffer

/** A request's body that is too large to hold, or whose size is not known: written while it is sent. */
internal object StreamedBody {
    /** Up to this size a body is held, in bytes. */
    private const val HELD = 1024L * 1024
    private const val ON_THE_WAY = 64L * 1024

    /** Makes the call with [body] as a stream, or with `null` if it can be held or there is none. */
    fun <T> sending(body: RequestBody?, contentType: String, call: (ApiBody?) -> T): T {
        if (body == null || body.contentLength() in 0..HELD) return call(null)
        if (body.isDuplex()) throw ProtocolException("the agent can't send a body that is written while the answer is read")
        val pipe = Pipe(ON_THE_WAY)
        val failure = AtomicReference<Throwable>()
        thread(name = "gatehand-okhttp body", isDaemon = true) { write(body, pipe, failure) }
        try {
            return call(ApiBody.stream(pipe.source.buffer().inputStream(), contentType, body.contentLength()))
        } catch (error: GatehandException) {
            throw if (error.code == ErrorCode.BODY_FAILED) failure.get().asItWas() ?: error else error
        } finally {
            // A server may answer before it has read all.
            pipe.cancel()
        }
    }

    private fun write(body: RequestBody, pipe: Pipe, failure: AtomicReference<Throwable>) {
        try {
            val sink = pipe.sink.buffer()
            body.writeTo(sink)
            sink.close()
        } catch (error: Throwable) {
            // Not closed: the server would take what it has for the whole.
            failure.set(error)
            pipe.cancel()
        }
    }

    private fun Throwable?.asItWas(): IOException? = when (this) {
        null -> null
        is IOException -> this
        else -> IOException("the request's body could not be written", this)
    }
}
