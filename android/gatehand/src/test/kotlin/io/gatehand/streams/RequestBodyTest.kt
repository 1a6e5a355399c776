package io.gatehand.streams

import io.gatehand.ApiBody
import io.gatehand.ApiRequest
import io.gatehand.ConnectionException
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.testing.Alive
import io.gatehand.testing.BulkServer
import io.gatehand.testing.TestingLibraryRunner
import java.io.ByteArrayInputStream
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.io.InterruptedIOException
import java.io.SequenceInputStream
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.annotation.Config

/** Bodies of requests that are read from an app's stream while they are sent. */
@RunWith(TestingLibraryRunner::class)
class RequestBodyTest {
    @get:Rule
    val server = BulkServer()

    /** Knows whether it was closed. */
    private class Watched(private val inner: InputStream) : InputStream() {
        val closed = CountDownLatch(1)

        @Volatile
        private var position = 0L

        override fun read(): Int = inner.read().also { position++ }

        override fun read(buffer: ByteArray, offset: Int, length: Int): Int =
            inner.read(buffer, offset, length).also { position += it }

        /** Waits until nothing more is taken, as the network or the stream itself takes no more. */
        suspend fun awaitPause() {
            var unchanged = 0
            var before = 0L
            while (before == 0L || unchanged < 20) {
                delay(10)
                unchanged = if (position == before) unchanged + 1 else 0
                before = position
            }
        }

        override fun close() {
            closed.countDown()
            inner.close()
        }
    }

    /** Fails as a file does whose card is taken out while it is sent. */
    private inner class Failing(private val error: Exception) : InputStream() {
        override fun read(): Int {
            server.awaitBody()
            throw error
        }
    }

    /** Never gives anything, as a pipe whose other end is silent. */
    private class Silent : InputStream() {
        val waits = CountDownLatch(1)

        override fun read(): Int {
            waits.countDown()
            try {
                CountDownLatch(1).await()
            } catch (interrupted: InterruptedException) {
                throw InterruptedIOException().apply { initCause(interrupted) }
            }
            return -1
        }
    }

    /** The same, and deaf to interruption, as many a pipe and socket. */
    private class Deaf : InputStream() {
        val waits = CountDownLatch(1)
        private val closed = CountDownLatch(1)

        override fun read(): Int {
            waits.countDown()
            while (true) {
                try {
                    closed.await()
                    throw IOException("closed")
                } catch (_: InterruptedException) {
                    continue
                }
            }
        }

        override fun close(): Unit = closed.countDown()
    }

    private fun upload(stream: InputStream, length: Long = -1, to: String = "take"): ApiRequest =
        ApiRequest.post("api/v1/$to", ApiBody.stream(stream, "image/png", length))

    private fun assertClosed(stream: Watched) {
        assertTrue(stream.closed.await(30, TimeUnit.SECONDS), "the stream was left open")
    }

    @Test
    fun a_stream_arrives_as_it_is_with_its_length_or_without(): Unit = Bulk.with(server) { agent ->
        for (bytes in listOf(0L, 1L, 16 * 1024, 100_003)) {
            for (length in listOf(bytes, -1)) {
                val stream = Watched(BulkServer.numbers(bytes))
                assertEquals(200, agent.request(upload(stream, length)).status)
                val taken = server.taken()
                assertEquals(bytes to BulkServer.sumOf(bytes), taken.bytes to taken.sum)
                if (length < 0) assertNull(taken.saidLength) else assertEquals("$length", taken.saidLength)
                assertClosed(stream)
            }
        }
        val echoed = agent.request(upload(ByteArrayInputStream("🎫".encodeToByteArray()), to = "echo"))
        assertEquals("🎫" to "image/png", echoed.text() to echoed.headers["Content-Type"])
    }

    @Test
    fun a_file_is_sent_again_from_its_beginning_under_the_same_key(): Unit = Bulk.with(server) { agent ->
        val bytes = 300_000L
        val file = File.createTempFile("gatehand", null).apply {
            deleteOnExit()
            outputStream().use { BulkServer.numbers(bytes).copyTo(it) }
        }
        var opened = 0
        val source = ApiBody.source({ opened++; BulkServer.numbers(bytes) }, "image/png")
        for (body in listOf(ApiBody.file(file, "image/png"), source)) {
            for (path in listOf("second", "busy")) {
                server.keys.clear()
                assertEquals(200, agent.request(ApiRequest.post("api/v1/$path", body)).status)
                val taken = server.taken()
                assertEquals(bytes to BulkServer.sumOf(bytes), taken.bytes to taken.sum)
                assertEquals("$bytes".takeIf { body !== source }, taken.saidLength)
                assertEquals(listOf(2, 1), listOf(server.keys.size, server.keys.toSet().size), path)
            }
        }
        assertEquals(4, opened)
    }

    @Test
    fun what_can_be_opened_again_is_still_sent_once_if_that_is_wanted(): Unit = Bulk.with(server) { agent ->
        val body = ApiBody.source({ BulkServer.numbers(300_000) }, "image/png")
        assertFailsWith<ConnectionException> { agent.request(ApiRequest.Builder("POST", "api/v1/second").body(body).once().build()) }
        assertEquals(1, server.keys.size)
    }

    @Test
    fun a_source_that_does_not_open_is_said_so(): Unit = Bulk.with(server) { agent ->
        for (body in listOf(ApiBody.file(File("/nowhere"), "image/png"), ApiBody.source({ error("gone") }, "image/png"))) {
            for (call in listOf<suspend (ApiRequest) -> Any>(agent::request, agent::stream)) {
                val error = assertFailsWith<GatehandException> { call(ApiRequest.post("api/v1/take", body)) }
                assertEquals(ErrorCode.BODY_FAILED, error.code)
            }
        }
    }

    @Test
    fun a_stream_that_fails_is_said_so_and_never_taken_for_the_whole(): Unit = Bulk.with(server) { agent ->
        for (cause in listOf(IOException("the card was taken out"), IllegalStateException("closed"), SecurityException("no permission"))) {
            val stream = Watched(SequenceInputStream(BulkServer.numbers(100_000), Failing(cause)))
            val error = assertFailsWith<GatehandException> { agent.request(upload(stream)) }
            assertEquals(ErrorCode.BODY_FAILED, error.code)
            assertTrue(generateSequence<Throwable>(error) { it.cause }.any { it.message == cause.message }, error.stackTraceToString())
            assertFalse(server.taken().ended)
            assertClosed(stream)
        }
        assertEquals(200, agent.request(upload(BulkServer.numbers(3))).status)
    }

    @Test
    fun a_stream_of_another_length_than_was_said_is_never_taken_for_the_whole(): Unit = Bulk.with(server) { agent ->
        for ((bytes, said) in listOf(5L to 10L, 10L to 5L, 0L to 1L, 1L to 0L, 100_000L to 99_999L)) {
            val error = assertFailsWith<GatehandException>("$bytes bytes, said to be $said") {
                agent.request(upload(BulkServer.numbers(bytes), said))
            }
            assertEquals(ErrorCode.BODY_FAILED, error.code, error.message)
            assertTrue("$said" in error.message, error.message)
        }
        assertEquals(200, agent.request(upload(BulkServer.numbers(3))).status)
    }

    @Test
    fun an_answer_before_the_body_was_read_is_read_and_ends_the_sending(): Unit = Bulk.with(server) { agent ->
        for (bytes in listOf(1000L, Long.MAX_VALUE)) {
            val silent = Silent()
            val stream = Watched(SequenceInputStream(BulkServer.numbers(bytes), silent))
            val call = async { agent.stream(upload(stream, to = "early")) }
            stream.awaitPause()
            server.goOn()
            withTimeout(30_000) { call.await() }.use { answer ->
                assertEquals(413, answer.status)
                assertClosed(stream)
                server.goOn()
                assertEquals("too large", answer.body.readBytes().decodeToString())
            }
            server.goOn()
        }
    }

    @Test
    fun a_cancelled_call_stops_reading_the_stream_and_the_server_does_not_take_the_part_for_the_whole(): Unit =
        Bulk.with(server) { agent ->
            val silent = Silent()
            val stream = Watched(SequenceInputStream(BulkServer.numbers(100_000), silent))
            val call = launch { agent.request(upload(stream)) }
            assertTrue(silent.waits.await(30, TimeUnit.SECONDS))
            server.awaitBody()
            withTimeout(30_000) { call.cancelAndJoin() }
            assertClosed(stream)
            assertFalse(server.taken().ended)
        }

    @Test
    fun a_call_is_cancelled_too_while_its_stream_is_deaf(): Unit = Bulk.with(server) { agent ->
        val deaf = Deaf()
        val call = launch { agent.request(upload(deaf)) }
        assertTrue(deaf.waits.await(30, TimeUnit.SECONDS))
        withTimeout(30_000) { call.cancelAndJoin() }
    }

    @Test
    fun a_call_is_cancelled_too_while_its_answer_is_read(): Unit = Bulk.with(server) { agent ->
        val call = launch { agent.request(upload(BulkServer.numbers(3), to = "early")) }
        server.goOn()
        withTimeout(30_000) {
            while (Alive.counts()[Alive.RESPONSES] == 0L) delay(10)
            call.cancelAndJoin()
        }
        repeat(2) { server.goOn() }
    }

    @Test
    fun a_call_is_cancelled_too_while_the_network_takes_no_more(): Unit = Bulk.with(server) { agent ->
        val stream = Watched(BulkServer.numbers(Long.MAX_VALUE))
        val call = async { agent.stream(upload(stream, to = "stuck")) }
        withTimeout(30_000) {
            while (server.stuck == 0) delay(10)
            stream.awaitPause()
            call.cancelAndJoin()
        }
        assertClosed(stream)
        server.goOn()
    }

    @Test
    fun closing_the_agent_ends_what_is_being_sent(): Unit = Bulk.with(server) { agent ->
        val silent = Silent()
        val stream = Watched(SequenceInputStream(BulkServer.numbers(100_000), silent))
        val call = async { assertFailsWith<IllegalStateException> { agent.request(upload(stream)) } }
        assertTrue(silent.waits.await(30, TimeUnit.SECONDS))
        agent.close()
        assertTrue("closed" in withTimeout(30_000) { call.await() }.message!!)
        assertClosed(stream)
    }

    @Test
    @Config(sdk = [27])
    fun a_large_stream_is_not_held_in_memory(): Unit = Bulk.with(server) { agent ->
        Bulk.inLittleMemory { assertEquals(200, agent.request(upload(BulkServer.numbers(Bulk.LARGE))).status) }
        assertEquals(Bulk.LARGE, server.taken().bytes)
    }
}
