package io.gatehand.okhttp

import io.gatehand.ExistingIdentity
import io.gatehand.testing.BulkServer
import java.io.IOException
import java.io.InterruptedIOException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertSame
import okhttp3.Call
import okhttp3.Callback
import okhttp3.MediaType
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.OkHttp
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody
import okhttp3.Response
import okio.BufferedSink
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** Bodies that are large or break, and calls that are given up. */
@RunWith(RobolectricTestRunner::class)
class BodiesTest {
    @get:Rule
    val server = BulkServer()

    private fun with(change: OkHttpClient.Builder.() -> Unit = {}, test: (OldApp) -> Unit) = OldApp(change).use { app ->
        app.agent.blocking().adopt(ExistingIdentity(server.address, BulkServer.KEY))
        test(app)
    }

    private fun OldApp.call(path: String, change: Request.Builder.() -> Unit = {}): Call =
        client.newCall(Request.Builder().url("${server.address}/api/v1/$path").apply(change).build())

    /** Some pieces of a body whose length is not said. */
    private class Pieces(val count: Int, val end: () -> Unit = {}) : RequestBody() {
        override fun contentType(): MediaType = "application/octet-stream".toMediaType()

        override fun writeTo(sink: BufferedSink) {
            repeat(count) { sink.write(ByteArray(PIECE)) }
            sink.flush()
            end()
        }
    }

    @Test
    fun it_is_the_okhttp_that_is_meant() {
        // The constant itself would be that of the compiler's.
        val version = OkHttp::class.java.getField("VERSION").get(null)
        assertEquals(System.getProperty("okhttp.expected"), version)
    }

    @Test
    fun a_body_of_unknown_length_is_sent_while_it_is_written(): Unit = with { app ->
        assertEquals(200, app.call("take") { post(Pieces(MANY)) }.execute().use { it.code })
        val taken = server.taken()
        assertEquals(MANY.toLong() * PIECE to true, taken.bytes to taken.ended)
    }

    @Test
    fun a_body_that_breaks_is_never_taken_for_the_whole(): Unit = with { app ->
        for (broken in listOf(IOException("the file is gone"), IllegalStateException("a defect"))) {
            val failure = assertFailsWith<IOException> { app.call("take") { post(Pieces(MANY) { throw broken }) }.execute() }
            assertSame(broken, if (broken is IOException) failure else failure.cause)
            assertEquals(false, server.taken().ended)
        }
    }

    @Test
    fun an_answer_is_read_while_it_comes(): Unit = with { app ->
        app.call("bulk?${LARGE}").execute().use { answer ->
            val source = answer.body!!.source()
            var read = 0L
            while (!source.exhausted()) read += source.buffer.size.also { source.skip(it) }
            assertEquals(LARGE, read)
        }
    }

    @Test
    fun a_call_that_is_cancelled_ends_soon(): Unit = with { app ->
        val ended = CompletableFuture<IOException>()
        val call = app.call("stuck")
        call.enqueue(object : Callback {
            override fun onFailure(call: Call, e: IOException) {
                ended.complete(e)
            }

            override fun onResponse(call: Call, response: Response) {
                ended.complete(IOException("it was answered with ${response.use { it.code }}"))
            }
        })
        while (server.stuck == 0) Thread.onSpinWait()
        call.cancel()
        assertEquals("Canceled", ended.get(1, TimeUnit.MINUTES).message)
    }

    @Test
    fun a_silent_server_is_given_up_when_the_client_would(): Unit =
        with({ readTimeout(300, TimeUnit.MILLISECONDS).connectTimeout(300, TimeUnit.MILLISECONDS) }) { app ->
            assertFailsWith<IOException> { app.call("stuck").execute() }
        }

    @Test
    fun a_thread_that_is_interrupted_waits_no_longer(): Unit = with { app ->
        val ended = CompletableFuture<Throwable?>()
        val waiting = Thread { ended.complete(runCatching { app.call("stuck").execute() }.exceptionOrNull()) }.apply { start() }
        while (server.stuck == 0) Thread.onSpinWait()
        waiting.interrupt()
        assertIs<InterruptedIOException>(ended.get(1, TimeUnit.MINUTES))
    }

    @Test
    fun after_the_agent_was_closed_a_call_fails_as_others_do(): Unit = with { app ->
        app.agent.close()
        assertContains("${assertFailsWith<IOException> { app.call("bulk?10").execute() }.message}", "closed")
    }

    @Test
    fun a_body_may_take_longer_to_write_than_a_server_may_be_silent(): Unit =
        with({ readTimeout(SHORT, TimeUnit.MILLISECONDS).connectTimeout(SHORT, TimeUnit.MILLISECONDS) }) { app ->
            // There is nothing to wait for but time.
            val slow = Pieces(1) { Thread.sleep(SHORT * 4) }
            assertEquals(200, app.call("take") { post(slow) }.execute().use { it.code })
        }

    @Test
    fun a_calls_own_time_limit_ends_it_as_okhttp_says(): Unit = with({ callTimeout(SHORT, TimeUnit.MILLISECONDS) }) { app ->
        assertEquals("timeout", assertFailsWith<InterruptedIOException> { app.call("stuck").execute() }.message)
    }

    private companion object {
        const val SHORT = 300L
        const val PIECE = 64 * 1024
        const val MANY = 200
        const val LARGE = 50L * 1024 * 1024
    }
}
