package io.gatehand.internal

import io.gatehand.ApiBody
import io.gatehand.ApiRequest
import io.gatehand.ApiResponse
import io.gatehand.ConnectionException
import io.gatehand.ErrorCode
import java.util.UUID
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.delay

/**
 * Sends a body that can be opened again until it is answered, by the rules that the native library has for
 * bodies at hand: it is given this one as a stream, which it can send once only.
 *
 * @param longestMillis The agent's time limit.
 */
internal class Repeats(private val request: ApiRequest, private val body: ApiBody.Source, longestMillis: Long) {
    private val limit = minOf(request.timeLimitMillis ?: longestMillis, longestMillis)
    private val begun = System.nanoTime()

    /** Under the same key a server that knows such keys does it once, however often it is sent. */
    private val key = request.idempotencyKey ?: UUID.randomUUID().toString()
    private var pause = FIRST_PAUSE

    suspend fun untilAnswered(send: suspend (ApiRequest) -> ApiResponse): ApiResponse {
        while (true) {
            try {
                val answer = send(request.sending(body, key, left()))
                if (request.once || !asksForAnother(answer) || !waits(answer)) return answer
            } catch (error: ConnectionException) {
                val mayHeal = error.code == ErrorCode.UNREACHABLE || error.code == ErrorCode.TIMED_OUT
                if (request.once || !mayHeal || !waits(null)) throw error
            }
        }
    }

    private fun left(): Long = maxOf(1, limit - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun))

    /** Waits before the next try; returns whether there is time for one. */
    private suspend fun waits(answer: ApiResponse?): Boolean {
        val asked = answer?.let(::retryAfterMillis)?.takeIf { it >= FIRST_PAUSE }
        val wait = asked ?: pause
        if (left() - wait < minOf(LAST_TRY, limit / LAST_PART)) return false
        pause = minOf(pause * 2, LONGEST_PAUSE)
        delay(wait)
        return true
    }

    private fun asksForAnother(answer: ApiResponse): Boolean =
        answer.status in BUSY || answer.status == CONFLICT && retryAfterMillis(answer) != null

    private fun retryAfterMillis(answer: ApiResponse): Long? =
        answer.headers["Retry-After"]?.trim()?.toLongOrNull()?.takeIf { it in 0..MOST_SECONDS }?.let(TimeUnit.SECONDS::toMillis)

    private companion object {
        const val FIRST_PAUSE = 500L
        const val LONGEST_PAUSE = 10_000L
        const val LAST_TRY = 3_000L
        const val LAST_PART = 3
        const val MOST_SECONDS = 100_000L
        const val CONFLICT = 409
        val BUSY = setOf(429, 502, 503, 504)
    }
}
