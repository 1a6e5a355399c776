package io.gatehand.life

import io.gatehand.AgentListener
import io.gatehand.ApiBody
import io.gatehand.ApiRequest
import io.gatehand.DeviceState
import io.gatehand.DeviceStateException
import io.gatehand.ExistingIdentity
import io.gatehand.Leftovers
import io.gatehand.ScannerAgent
import io.gatehand.streams.Bulk
import io.gatehand.testing.BulkServer
import io.gatehand.testing.TestingLibraryRunner
import java.io.File
import java.io.IOException
import java.util.concurrent.CancellationException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.Executor
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlin.coroutines.CoroutineContext
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment

/** Where the app's code runs, and who may wait there. */
@RunWith(TestingLibraryRunner::class)
class ThreadsTest {
    @get:Rule
    val server = BulkServer()

    @get:Rule
    val hangingUp = HangingUpServer(BulkServer.INFO)

    private val small = ApiRequest.get("/api/v1/bulk?1000")

    private suspend fun ScannerAgent.size(): Int = request(small).body.size

    @Test
    fun an_unconfined_coroutine_may_wait_where_it_goes_on(): Unit = Bulk.with(server) { agent ->
        val waiting = List(8) {
            async(Dispatchers.Unconfined) {
                agent.request(small)
                agent.blocking().request(small).body.size + agent.blocking().refresh().name.length
            }
        }
        assertEquals(setOf(1006), withTimeout(MINUTE) { waiting.awaitAll() }.toSet())
    }

    @Test
    fun a_coroutine_of_an_executor_that_runs_at_once_may_wait(): Unit = Bulk.with(server) { agent ->
        withContext(Executor { it.run() }.asCoroutineDispatcher()) {
            agent.request(small)
            assertEquals(1000, runBlocking { agent.size() })
            assertEquals(1000, agent.blocking().request(small).body.size)
            assertEquals(1000, agent.stream(small).use { it.body.readBytes().size })
        }
    }

    @Test
    fun a_dispatcher_that_only_claims_to_change_threads_is_told_that_it_can_not_wait(): Unit = Bulk.with(server) { agent ->
        val inPlace = object : CoroutineDispatcher() {
            override fun dispatch(context: CoroutineContext, block: Runnable) = block.run()
        }
        withContext(inPlace) {
            // What came with the head is at hand, but not the rest.
            val stream = agent.stream(ApiRequest.get("/api/v1/slow"))
            val unread = assertFailsWith<IOException> { stream.body.readBytes() }
            assertContains("${unread.message}", "Dispatchers.IO")
            agent.request(small)
            for (wait in listOf<() -> Any>({ agent.blocking().request(small) }, { agent.blocking().refresh() })) {
                assertContains("${assertFailsWith<IllegalStateException> { wait() }.message}", "Dispatchers.IO")
            }
            // It was only told so: all goes on.
            server.goOn()
            assertTrue(withContext(Dispatchers.IO) { stream.use { it.body.readBytes().decodeToString() } }.endsWith("second"))
        }
        assertEquals(1000, agent.size())
    }

    @Test
    fun many_operations_at_once_have_few_threads(): Unit = Bulk.with(server) { agent ->
        val most = AtomicInteger()
        val waiting = List(100) { async { agent.refresh().also { most.accumulateAndGet(Leftovers.threads(), ::maxOf) } } }
        assertEquals(100, withTimeout(MINUTE) { waiting.awaitAll() }.size)
        assertTrue(most.get() <= 60, "${most.get()} threads")
    }

    @Test
    fun a_listener_that_is_told_at_once_may_wait(): Unit = Bulk.with(server) {
        Devices.open("other").use { agent ->
            val heard = CompletableFuture<String>()
            val listener = object : AgentListener {
                override fun onState(state: DeviceState) {
                    if (state is DeviceState.Enrolled) heard.complete(agent.blocking().refresh().name + agent.blocking().request(small).body.size)
                }
            }
            agent.addListener({ it.run() }, listener).use {
                agent.adopt(ExistingIdentity(server.address, BulkServer.KEY))
                assertEquals("Lane 11000", heard.get(1, TimeUnit.MINUTES))
            }
        }
    }

    @Test
    fun interrupting_a_thread_that_waits_ends_its_call(): Unit = Bulk.with(server) { agent ->
        val ended = CompletableFuture<Throwable?>()
        val waiting = thread {
            ended.complete(runCatching { agent.blocking().request(ApiRequest.get("/api/v1/stuck")) }.exceptionOrNull())
        }
        while (server.stuck == 0) Thread.onSpinWait()
        waiting.interrupt()
        assertIs<InterruptedException>(ended.get(1, TimeUnit.MINUTES))
        assertEquals(1000, agent.size())
    }

    @Test
    fun a_thread_that_is_interrupted_before_makes_no_call(): Unit = Bulk.with(server) { agent ->
        val ended = CompletableFuture<Throwable?>()
        thread {
            Thread.currentThread().interrupt()
            ended.complete(runCatching { agent.blocking().request(ApiRequest.get("/api/v1/stuck")) }.exceptionOrNull())
        }
        assertIs<InterruptedException>(ended.get(1, TimeUnit.MINUTES))
    }

    @Test
    fun a_call_that_is_not_wanted_any_more_ends(): Unit = Bulk.with(server) { agent ->
        // As a body at hand, and as one that is read meanwhile.
        val bodies = listOf<() -> ApiBody>({ ApiBody.json("{}") }, { ApiBody.stream("{}".byteInputStream(), "application/json") })
        for (body in bodies) {
            val before = server.stuck
            val call = ApiRequest.post("/api/v1/stuck", body())
            assertFailsWith<CancellationException> { agent.blocking().stream(call) { server.stuck == before } }
        }
        val failure = IllegalArgumentException("a defect of the app's")
        val thrown = assertFailsWith<IllegalArgumentException> { agent.blocking().stream(ApiRequest.get("/api/v1/stuck")) { throw failure } }
        assertEquals(failure.message, thrown.message)
        assertEquals(1000, agent.blocking().stream(small) { true }.use { it.body.readBytes().size })
    }

    @Test
    fun a_thread_that_waits_and_goes_holds_up_no_coroutine(): Unit = Bulk.with(server) { agent ->
        repeat(10) {
            val before = server.stuck
            val waiting = thread { runCatching { agent.blocking().request(ApiRequest.get("/api/v1/stuck")) } }
            while (server.stuck == before) Thread.onSpinWait()
            assertEquals(1000, withTimeout(MINUTE) { agent.size() })
            val slow = async { agent.stream(ApiRequest.get("/api/v1/slow")).use { it.body.readBytes().size } }
            val stuck = async { runCatching { agent.request(ApiRequest.get("/api/v1/stuck")) } }
            while (server.stuck == before + 1) Thread.onSpinWait()
            waiting.interrupt()
            waiting.join()
            stuck.cancel()
            // Enough for all that are stuck and the one that is slow.
            repeat(MANY) { server.goOn() }
            assertEquals("first second".length, withTimeout(MINUTE) { slow.await() })
            assertEquals(1000, withTimeout(MINUTE) { agent.size() })
        }
    }

    @Test
    fun closing_the_agent_ends_the_call_that_a_thread_waits_for(): Unit = Bulk.with(server) { agent ->
        val ended = CompletableFuture<Throwable?>()
        thread { ended.complete(runCatching { agent.blocking().request(ApiRequest.get("/api/v1/stuck")) }.exceptionOrNull()) }
        while (server.stuck == 0) Thread.onSpinWait()
        agent.close()
        assertContains("${assertIs<IllegalStateException>(ended.get(1, TimeUnit.MINUTES)).message}", "closed")
    }

    @Test
    fun threads_and_coroutines_make_calls_side_by_side(): Unit = Bulk.with(server) { agent ->
        val sizes = List(16) { index ->
            async(Dispatchers.IO) {
                (1..50).sumOf {
                    when (index % 3) {
                        0 -> agent.blocking().request(small).body.size
                        1 -> agent.size()
                        else -> agent.stream(small).use { answer -> answer.body.readBytes().size }
                    }
                }
            }
        }
        assertEquals(setOf(50_000), withTimeout(MINUTE) { sizes.awaitAll() }.toSet())
    }

    @Test
    fun a_vault_that_is_taken_away_is_a_state(): Unit = Bulk.with(server) { agent ->
        val folder = File(RuntimeEnvironment.getApplication().noBackupFilesDir, "gatehand/default")
        folder.listFiles { file -> file.name.startsWith("vault.db") }.orEmpty().forEach { assertTrue(it.delete()) }
        assertFailsWith<DeviceStateException> { agent.request(small) }
        withTimeout(MINUTE) { agent.state.first { it == DeviceState.NotEnrolled } }
    }

    @Test
    fun a_connection_that_the_server_closed_unnoticed_is_not_used_again(): Unit = Bulk.with(server) {
        Devices.open("other").use { agent ->
            agent.adopt(ExistingIdentity(hangingUp.address, BulkServer.KEY))
            // Sends the report, which is due.
            agent.request(small)
            val once = ApiRequest.Builder("POST", "/api/v1/any").once().build()
            val calls = listOf<suspend () -> Any>(
                { agent.blocking().request(once) },
                { agent.blocking().stream(once).use { it.body.readBytes() } },
                { agent.request(once) },
                { agent.stream(once).use { it.body.readBytes() } },
                { agent.refresh() },
            )
            repeat(10) {
                // Each after each, since they may be made by different threads.
                for (first in calls) for (second in calls) {
                    val before = hangingUp.requests()
                    first()
                    assertEquals(before + 1, hangingUp.requests())
                    second()
                    assertEquals(before + 2, hangingUp.requests())
                }
            }
        }
    }

    private companion object {
        const val MINUTE = 60_000L
        const val MANY = 3
    }
}
