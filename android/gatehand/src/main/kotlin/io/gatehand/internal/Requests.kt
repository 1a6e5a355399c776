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
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runInterruptible

/** Calls of the server's API, with bodies at hand or on the way. */
internal object Requests {
    private const val PIECE = 16 * 1024

    suspend fun request(agent: Long, request: ApiRequest): ApiResponse {
        val body = request.body
        if (body is ApiBody.Stream) {
            return stream(agent, request).use { answer ->
                ApiResponse(answer.status, answer.headers, runInterruptible(Dispatchers.IO) { readAll(answer.body) })
            }
        }
        val outcome = awaitCall { Native.request(agent, Codec.encode(request), (body as? ApiBody.Bytes)?.bytes, it) }
        val (status, headers) = Codec.head(outcome.result)
        return ApiResponse(status, headers, outcome.body ?: ByteArray(0))
    }

    suspend fun stream(agent: Long, request: ApiRequest): StreamedResponse {
        var response = 0L
        try {
            return coroutineScope {
                val body = request.body
                val streamed = body as? ApiBody.Stream
                var pump: Job? = null
                val outcome = awaitCall { completion ->
                    val bytes = (body as? ApiBody.Bytes)?.bytes
                    val call = Native.requestStreaming(agent, Codec.encode(request), bytes, streamed != null, completion)
                    if (streamed != null) pump = launch(Dispatchers.IO) { pump(call, streamed.stream) }
                    call
                }
                response = outcome.response
                // A server may answer before it has read all; the rest is not sent then.
                pump?.cancel()
                val (status, headers) = Codec.head(outcome.result)
                StreamedResponse(status, headers, ResponseStream(response))
            }
        } catch (error: Throwable) {
            if (response != 0L) Native.responseClose(response)
            throw error
        }
    }

    private suspend fun pump(call: Long, body: InputStream) {
        try {
            runInterruptible {
                body.use {
                    val piece = ByteArray(PIECE)
                    while (true) {
                        val length = it.read(piece)
                        if (length < 0) break
                        if (!Native.bodyWrite(call, piece, 0, length)) return@use
                    }
                    Native.bodyFinish(call)
                }
            }
        } catch (error: IOException) {
            throw GatehandException(ErrorCode.BODY_FAILED, "the request's body could not be read from the app's stream", error)
        }
    }

    private fun readAll(body: InputStream): ByteArray =
        try {
            body.readBytes()
        } catch (error: IOException) {
            throw error.cause as? GatehandException ?: error
        }
}
