package io.gatehand.internal

import io.gatehand.ApiBody
import io.gatehand.ApiRequest
import io.gatehand.ApiResponse
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.StreamedResponse
import java.io.IOException
import java.io.InputStream
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.runInterruptible
import kotlinx.coroutines.withContext

/** Calls of the server's API, with bodies at hand or on the way. */
internal object Requests {
    private const val PIECE = 16 * 1024

    /** @param longestMillis The agent's time limit. */
    suspend fun request(agent: Long, request: ApiRequest, longestMillis: Long): ApiResponse = when (val body = request.body) {
        is ApiBody.Source -> Repeats(request, body, longestMillis).untilAnswered { whole(agent, it) }
        is ApiBody.Stream -> whole(agent, request)
        else -> response(awaitCall { Native.request(agent, Codec.encode(request), bytes(body), it) })
    }

    /** Whether the thread that asks can make the call by itself, as there is nothing to be read meanwhile. */
    fun isOneThreads(request: ApiRequest): Boolean = request.body.let { it == null || it is ApiBody.Bytes }

    /** The same for such a call, while this thread waits. */
    fun requestHere(agent: Long, request: ApiRequest, isWanted: () -> Boolean): ApiResponse =
        response(Here.wait(agent, request, bytes(request.body), isStreamed = false, isWanted))

    /** The same with the body on the way. */
    fun streamHere(agent: Long, request: ApiRequest, isWanted: () -> Boolean): StreamedResponse =
        streamed(Here.wait(agent, request, bytes(request.body), isStreamed = true, isWanted))

    private suspend fun whole(agent: Long, request: ApiRequest): ApiResponse =
        stream(agent, request).use { ApiResponse(it.status, it.headers, readAll(it)) }

    private fun bytes(body: ApiBody?): ByteArray? = (body as? ApiBody.Bytes)?.bytes

    private fun response(outcome: Outcome): ApiResponse {
        val (status, headers) = Codec.head(outcome.result)
        return ApiResponse(status, headers, outcome.body ?: ByteArray(0))
    }

    private fun streamed(outcome: Outcome): StreamedResponse {
        val (status, headers) = Codec.head(outcome.result)
        return StreamedResponse(status, headers, ResponseStream(outcome.body ?: ByteArray(0), outcome.response))
    }

    suspend fun stream(agent: Long, request: ApiRequest): StreamedResponse {
        val source = request.body as? ApiBody.Source ?: return sendOnce(agent, request)
        var opened: InputStream? = null
        try {
            // Kept in there, so that one who is cancelled meanwhile does not lose it.
            val body = withContext(Dispatchers.IO) {
                val stream = open(source).also { opened = it }
                ApiBody.Stream(stream, source.length(), source.contentType)
            }
            return sendOnce(agent, request.sending(body, request.idempotencyKey, request.timeLimitMillis))
        } finally {
            opened?.let(::closeQuietly)
        }
    }

    private suspend fun sendOnce(agent: Long, request: ApiRequest): StreamedResponse {
        var response = 0L
        try {
            return coroutineScope {
                val body = request.body
                val streamed = body as? ApiBody.Stream
                var pump: Job? = null
                try {
                    val outcome = awaitCall { completion ->
                        val call = Native.requestStreaming(agent, Codec.encode(request), bytes(body), streamed != null, completion)
                        if (streamed != null) pump = launch(Dispatchers.IO) { pump(call, streamed) }
                        call
                    }
                    response = outcome.response
                    streamed(outcome)
                } finally {
                    // A server may answer before it has read all; the rest is not sent then.
                    pump?.cancel()
                    // Wakes a read that does not heed interruption.
                    if (streamed != null) withContext(NonCancellable + Dispatchers.IO) { closeQuietly(streamed.stream) }
                }
            }
        } catch (error: Throwable) {
            if (response != 0L) Native.responseClose(response)
            throw error
        }
    }

    private suspend fun pump(call: Long, body: ApiBody.Stream) {
        try {
            runInterruptible { send(call, body) }
        } catch (error: GatehandException) {
            // Many streams fail when their reader is interrupted, as it is once nothing more is wanted.
            currentCoroutineContext().ensureActive()
            throw error
        } finally {
            closeQuietly(body.stream)
        }
    }

    private fun send(call: Long, body: ApiBody.Stream) {
        val piece = ByteArray(PIECE)
        var sent = 0L
        while (true) {
            val length = read(body.stream, piece)
            checkLength(body.length, sent, length)
            if (length < 0) return Native.bodyFinish(call)
            if (!Native.bodyWrite(call, piece, 0, length)) return
            sent += length
        }
    }

    /** A server that was told of another length would take what it gets for the whole. */
    private fun checkLength(said: Long, sent: Long, next: Int) {
        if (said < 0 || (if (next < 0) sent == said else sent + next <= said)) return
        val found = if (next < 0) "ended after $sent" else "has more"
        throw GatehandException(ErrorCode.BODY_FAILED, "the request's body was said to have $said bytes, but the app's stream $found")
    }

    private fun closeQuietly(stream: InputStream) {
        try {
            stream.close()
        } catch (_: IOException) {
            // All that was needed has been read.
        } catch (_: RuntimeException) {
            // Streams of content providers throw these too.
        }
    }

    private fun read(stream: InputStream, piece: ByteArray): Int = ofApp { stream.read(piece) }

    private fun open(source: ApiBody.Source): InputStream = ofApp(source::open)

    private fun <T> ofApp(work: () -> T): T =
        try {
            work()
        } catch (error: IOException) {
            throw bodyFailed(error)
        } catch (error: RuntimeException) {
            // Streams of content providers throw these too.
            throw bodyFailed(error)
        }

    private fun bodyFailed(cause: Exception) =
        GatehandException(ErrorCode.BODY_FAILED, "the request's body could not be read from the app's stream", cause)

    /** Reads the whole body. Cancelling closes it, which wakes the reading thread. */
    private suspend fun readAll(answer: StreamedResponse): ByteArray = coroutineScope {
        val reading = async(Dispatchers.IO) {
            try {
                answer.body.readBytes()
            } catch (error: IOException) {
                // Closed because nobody wants it any more.
                ensureActive()
                // A closed agent is no failure of the network's.
                throw error.cause as? IllegalStateException ?: error
            }
        }
        try {
            reading.await()
        } finally {
            answer.close()
        }
    }
}
