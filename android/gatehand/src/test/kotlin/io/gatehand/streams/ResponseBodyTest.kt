package io.gatehand.streams

import io.gatehand.ApiRequest
import io.gatehand.ConnectionException
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.ScannerAgent
import io.gatehand.StreamedResponse
import io.gatehand.internal.Native
import io.gatehand.testing.BulkServer
import io.gatehand.testing.TestingLibraryRunner
import java.io.IOException
import java.util.Arrays
import java.util.concurrent.CountDownLatch
import kotlin.concurrent.thread
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.withTimeout
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.annotation.Config

/** Answers whose bodies are read from the network while they come. */
@RunWith(TestingLibraryRunner::class)
class ResponseBodyTest {
    @get:Rule
    val server = BulkServer()

    private suspend fun ScannerAgent.slow(): StreamedResponse = stream(ApiRequest.get("api/v1/slow"))

    /** What a thread that reads on gets, once it waits for more. */
    private fun readingOn(response: StreamedResponse): CompletableDeferred<Result<Int>> {
        assertEquals("first ", String(ByteArray(6).also { assertEquals(6, response.body.read(it)) }))
        val got = CompletableDeferred<Result<Int>>()
        val begins = CountDownLatch(1)
        val reader = thread {
            begins.countDown()
            got.complete(runCatching { response.body.read() })
        }
        begins.await()
        while (reader.stackTrace.none { it.className == Native::class.java.name }) Thread.yield()
        return got
    }

    @Test
    fun what_came_is_read_before_the_rest_is_there(): Unit = Bulk.with(server) { agent ->
        agent.slow().use { response ->
            assertTrue(response.isSuccessful)
            val got = readingOn(response)
            server.goOn()
            assertEquals('s'.code, got.await().getOrThrow())
            assertEquals("econd", response.body.readBytes().decodeToString())
            assertEquals(-1, response.body.read())
            assertEquals(0, response.body.read(ByteArray(0)))
        }
    }

    @Test
    fun closing_a_response_wakes_who_reads_it(): Unit = Bulk.with(server) { agent ->
        val response = agent.slow()
        val got = readingOn(response)
        response.close()
        assertTrue("closed" in assertIs<IOException>(withTimeout(30_000) { got.await() }.exceptionOrNull()).message!!)
        assertFailsWith<IOException> { response.body.read() }
        response.close()
    }

    @Test
    fun closing_the_agent_ends_responses_that_were_not_read_to_the_end(): Unit = Bulk.with(server) { agent ->
        val waited = agent.slow()
        val got = readingOn(waited)
        val unread = agent.stream(ApiRequest.get("api/v1/bulk?${Bulk.LARGE}"))
        agent.close()
        assertIs<IOException>(withTimeout(30_000) { got.await() }.exceptionOrNull())
        assertTrue("closed" in assertFailsWith<IOException> { unread.body.readBytes() }.message!!)
        unread.close()
    }

    @Test
    fun a_body_that_breaks_off_is_never_taken_for_the_whole(): Unit = Bulk.with(server) { agent ->
        val request = ApiRequest.get("api/v1/torn")
        agent.stream(request).use { response ->
            val error = assertFailsWith<ConnectionException> { response.body.readBytes() }
            assertEquals(ErrorCode.UNREACHABLE, error.code)
        }
    }

    @Test
    @Config(sdk = [27])
    fun a_large_body_is_not_held_in_memory_and_too_large_for_what_is(): Unit = Bulk.with(server) { agent ->
        Bulk.inLittleMemory {
            val piece = ByteArray(64 * 1024)
            val expected = ByteArray(piece.size)
            val numbers = BulkServer.numbers(Bulk.LARGE)
            var read = 0L
            agent.stream(ApiRequest.get("api/v1/bulk?${Bulk.LARGE}")).use { response ->
                while (true) {
                    val length = response.body.read(piece)
                    if (length < 0) break
                    numbers.read(expected, 0, length)
                    assertTrue(Arrays.equals(expected, 0, length, piece, 0, length), "something else came after $read bytes")
                    read += length
                }
            }
            assertEquals(Bulk.LARGE, read)
        }
        val error = assertFailsWith<GatehandException> { agent.request(ApiRequest.get("api/v1/bulk?${Bulk.LARGE}")) }
        assertEquals(ErrorCode.ANSWER_TOO_LARGE, error.code)
    }
}
