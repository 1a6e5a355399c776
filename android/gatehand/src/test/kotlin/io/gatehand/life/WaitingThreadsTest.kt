package io.gatehand.life

import io.gatehand.ApiRequest
import io.gatehand.ConnectionException
import io.gatehand.ErrorCode
import io.gatehand.ExistingIdentity
import io.gatehand.StreamedResponse
import io.gatehand.streams.Bulk
import io.gatehand.testing.BulkServer
import io.gatehand.testing.TestingLibraryRunner
import java.util.concurrent.Callable
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlinx.coroutines.withTimeout
import org.junit.Rule
import org.junit.runner.RunWith

/** Threads that wait for their calls: none may depend on what becomes of another. */
@RunWith(TestingLibraryRunner::class)
class WaitingThreadsTest {
    @get:Rule
    val server = BulkServer()

    private val small = ApiRequest.get("/api/v1/bulk?1000")
    private val stuck = ApiRequest.get("/api/v1/stuck")

    private fun StreamedResponse.readAll(): ByteArray = use { it.body.readBytes() }

    @Test
    fun of_many_that_wait_all_are_answered_though_the_first_goes(): Unit = Bulk.with(server) { agent ->
        val first = thread { runCatching { agent.blocking().request(stuck) } }
        while (server.stuck == 0) Thread.onSpinWait()
        val threads = Executors.newFixedThreadPool(MANY)
        try {
            val sizes = List(MANY) {
                threads.submit(Callable { (1..10).sumOf { agent.blocking().request(small).body.size + agent.blocking().stream(small).readAll().size } })
            }
            first.interrupt()
            assertEquals(setOf(20_000), sizes.map { it.get(1, TimeUnit.MINUTES) }.toSet())
            first.join(MINUTE)
            assertFalse(first.isAlive)
        } finally {
            threads.shutdownNow()
        }
    }

    @Test
    fun an_answer_that_is_read_late_or_never_holds_up_nobody(): Unit = Bulk.with(server) { agent ->
        val large = ApiRequest.get("/api/v1/bulk?$LARGE")
        agent.blocking().stream(large).use { never ->
            val late = agent.blocking().stream(large)
            assertEquals(1000, agent.blocking().request(small).body.size)
            assertEquals(1000, withTimeout(MINUTE) { agent.request(small) }.body.size)
            assertEquals(1000, agent.blocking().stream(small).readAll().size)
            assertContentEquals(BulkServer.numbers(LARGE).readBytes(), late.readAll())
            assertEquals(200, never.status)
        }
    }

    @Test
    fun an_answer_breaks_off_where_it_did_whoever_reads_it(): Unit = Bulk.with(server) { agent ->
        val torn = agent.blocking().stream(ApiRequest.get("/api/v1/torn"))
        torn.use {
            val error = assertFailsWith<ConnectionException> { it.body.readBytes() }
            assertEquals(ErrorCode.UNREACHABLE, error.code)
        }
    }

    @Test
    fun a_server_that_falls_silent_is_given_up_in_the_time_for_one_read(): Unit = Bulk.with(server) {
        Devices.open("patient") { readTimeout(500, TimeUnit.MILLISECONDS).timeLimit(1, TimeUnit.HOURS) }.use { agent ->
            agent.adopt(ExistingIdentity(server.address, BulkServer.KEY))
            agent.blocking().stream(ApiRequest.get("/api/v1/slow")).use {
                assertEquals("first ", it.body.readNBytes(6).decodeToString())
                assertEquals(ErrorCode.TIMED_OUT, assertFailsWith<ConnectionException> { it.body.read() }.code)
            }
        }
    }

    @Test
    fun a_call_has_its_own_time(): Unit = Bulk.with(server) { agent ->
        val impatient = ApiRequest.Builder("GET", "/api/v1/stuck").timeLimit(500, TimeUnit.MILLISECONDS).build()
        for (call in listOf<() -> Any>({ agent.blocking().request(impatient) }, { agent.blocking().stream(impatient) })) {
            assertEquals(ErrorCode.TIMED_OUT, assertFailsWith<ConnectionException> { call() }.code)
        }
        assertEquals(1000, agent.blocking().request(small).body.size)
    }

    private companion object {
        const val MANY = 50
        const val MINUTE = 60_000L

        /** More than comes with the head. */
        const val LARGE = 4L * 1024 * 1024
    }
}
