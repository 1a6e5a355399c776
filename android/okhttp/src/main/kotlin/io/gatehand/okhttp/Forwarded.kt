package io.gatehand.okhttp

import io.gatehand.ApiBody
import io.gatehand.ApiRequest
import io.gatehand.Agent
import io.gatehand.StreamedResponse
import java.io.IOException
import java.util.concurrent.TimeUnit
import okhttp3.Interceptor
import okhttp3.Protocol
import okhttp3.Request
import okhttp3.RequestBody
import okhttp3.Response
import okio.Buffer

/** A call of the device's server, made by the agent. */
internal class Forwarded(
    private val agent: Agent,
    private val chain: Interceptor.Chain,
    private val request: Request,
    private val path: String,
) {
    fun answer(): Response {
        val sentAt = System.currentTimeMillis()
        val answer = StreamedBody.sending(request.body, contentType()) { body ->
            val request = apiRequest(body)
            Waiting.of(chain.call(), agent) { isWanted -> stream(request, isWanted) }
        }
        return response(answer, sentAt)
    }

    private fun apiRequest(streamed: ApiBody?): ApiRequest =
        try {
            build(streamed)
        } catch (error: IllegalArgumentException) {
            // OkHttp lets anything else than an IOException end the app.
            throw IOException("this call can't be made: ${error.message}", error)
        }

    private fun build(streamed: ApiBody?): ApiRequest {
        val builder = ApiRequest.Builder(request.method, path)
        for ((name, value) in request.headers) {
            when (name.lowercase()) {
                in OF_THE_CONNECTION -> {}
                IDEMPOTENCY_KEY -> builder.idempotencyKey(value)
                else -> builder.header(name, value)
            }
        }
        (streamed ?: request.body?.let(::atHand))?.let(builder::body)
        // When the call's own time is over OkHttp cancels it, in words of its own.
        builder.timeLimit(NO_LIMIT_DAYS, TimeUnit.DAYS)
        when (val silence = chain.readTimeoutMillis()) {
            0 -> builder.readTimeout(NO_LIMIT_DAYS, TimeUnit.DAYS)
            else -> builder.readTimeout(silence.toLong(), TimeUnit.MILLISECONDS)
        }
        return builder.build()
    }

    /** As OkHttp goes by: the body's own type, and then what the app says in a header. */
    private fun contentType(): String =
        request.body?.contentType()?.toString() ?: request.header("Content-Type") ?: "application/octet-stream"

    private fun atHand(body: RequestBody): ApiBody {
        val bytes = Buffer().also(body::writeTo).readByteArray()
        return ApiBody.bytes(bytes, contentType())
    }

    private fun response(answer: StreamedResponse, sentAt: Long): Response {
        val response = Response.Builder()
            .request(request)
            // Which one it was is between the agent and the server.
            .protocol(Protocol.HTTP_1_1)
            .code(answer.status)
            .message("")
            .sentRequestAtMillis(sentAt)
            .receivedResponseAtMillis(System.currentTimeMillis())
        for (name in answer.headers.names()) answer.headers.all(name).forEach { response.addHeader(name, it) }
        // The length that a head says is that of a body which does not come with it.
        val isHeadOnly = request.method == "HEAD" || answer.status in WITHOUT_BODY
        return response.body(AnswerBody(answer, chain.call(), isHeadOnly)).build()
    }

    private companion object {
        const val NO_LIMIT_DAYS = 1L
        val WITHOUT_BODY = setOf(204, 304)
        const val IDEMPOTENCY_KEY = "x-idempotency-key"

        /** What the agent or its connection sets, in place of what OkHttp or the app would. */
        val OF_THE_CONNECTION = setOf(
            "accept-encoding", "authorization", "connection", "content-encoding", "content-length", "content-type", "host",
            "keep-alive", "transfer-encoding", "user-agent",
        )
    }
}
