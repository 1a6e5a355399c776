package io.gatehand.okhttp

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import io.gatehand.ExistingIdentity
import io.gatehand.testing.BulkServer
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.util.concurrent.CopyOnWriteArrayList
import java.util.zip.GZIPOutputStream
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull
import okhttp3.Cookie
import okhttp3.CookieJar
import okhttp3.HttpUrl
import okhttp3.Interceptor
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody
import okhttp3.RequestBody.Companion.toRequestBody
import okhttp3.Response
import org.junit.Rule
import org.junit.rules.ExternalResource
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** Answers as servers and what is before them give them, which a client takes as it takes them of OkHttp. */
@RunWith(RobolectricTestRunner::class)
class AnswersTest {
    /** The device's server, which answers each path as a test says. */
    class Server : ExternalResource() {
        private val server = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)
        val address = "http://127.0.0.1:${server.address.port}"

        /** The headers of all requests but the first, by which the device was adopted. */
        val asked = CopyOnWriteArrayList<Map<String, List<String>>>()

        fun on(path: String, answer: HttpExchange.() -> Unit) {
            server.createContext("/api/v1/$path") { exchange ->
                asked += exchange.requestHeaders.mapKeys { it.key.lowercase() }
                exchange.use { it.answer() }
            }
        }

        override fun before() {
            server.createContext("/api/v1/device/info") { exchange -> exchange.use { it.give(BulkServer.INFO.encodeToByteArray()) } }
            server.start()
        }

        override fun after() {
            server.stop(0)
        }

        private fun HttpExchange.use(work: (HttpExchange) -> Unit) = try {
            work(this)
        } finally {
            close()
        }
    }

    @get:Rule
    val server = Server()

    @get:Rule
    val other = OtherServer()

    private fun with(change: OkHttpClient.Builder.() -> Unit = {}, test: OldApp.() -> Unit) = OldApp(change).use { app ->
        app.agent.blocking().adopt(ExistingIdentity(server.address, BulkServer.KEY))
        app.test()
    }

    private fun OldApp.ask(path: String, change: Request.Builder.() -> Unit = {}): Response =
        client.newCall(Request.Builder().url("${server.address}/api/v1/$path").apply(change).build()).execute()

    @Test
    fun a_packed_answer_is_unpacked_as_okhttp_does(): Unit = with {
        val text = "gate ".repeat(10_000)
        server.on("packed") {
            val packed = ByteArrayOutputStream().also { bytes -> GZIPOutputStream(bytes).use { it.write(text.encodeToByteArray()) } }
            responseHeaders.add("Content-Encoding", "gzip")
            give(packed.toByteArray())
        }
        ask("packed").use { answer ->
            assertNull(answer.header("Content-Encoding"))
            assertEquals(-1, answer.body!!.contentLength())
            assertEquals(text, answer.body!!.string())
        }
        assertContains(server.asked.last().getValue("accept-encoding").toString(), "gzip")
    }

    @Test
    fun the_length_of_a_body_is_known_beforehand_where_the_server_says_it(): Unit = with {
        server.on("plain") { give(ByteArray(5)) }
        ask("plain").use { answer ->
            assertEquals(5, answer.body!!.contentLength())
            assertEquals(5, answer.body!!.bytes().size)
        }
    }

    @Test
    fun heads_without_a_body_say_no_length_of_one(): Unit = with {
        server.on("head") {
            responseHeaders.add("Content-Length", "1000")
            sendResponseHeaders(200, -1)
        }
        server.on("unchanged") {
            responseHeaders.add("ETag", "\"1\"")
            responseHeaders.add("Content-Length", "1000")
            sendResponseHeaders(304, -1)
        }
        server.on("done") { sendResponseHeaders(204, -1) }
        ask("head") { head() }.use { answer ->
            assertEquals("1000", answer.header("Content-Length"))
            assertEquals(0, answer.body!!.bytes().size)
        }
        ask("unchanged") { header("If-None-Match", "\"1\"") }.use { answer ->
            assertEquals(304 to "\"1\"", answer.code to answer.header("ETag"))
            assertEquals(0, answer.body!!.bytes().size)
        }
        assertEquals(listOf("\"1\""), server.asked.last()["if-none-match"])
        ask("done") { delete() }.use { assertEquals(204 to 0, it.code to it.body!!.bytes().size) }
    }

    @Test
    fun a_media_type_in_a_header_counts_where_the_body_has_none(): Unit = with {
        server.on("take") {
            requestBody.readBytes()
            give(ByteArray(0))
        }
        fun sentTypeOf(body: RequestBody): List<String>? {
            ask("take") { header("Content-Type", "application/json").post(body) }.use { assertEquals(200, it.code) }
            return server.asked.last()["content-type"]
        }
        assertEquals(listOf("application/json"), sentTypeOf("{}".toRequestBody()))
        // The same for one that is too large to be held.
        assertEquals(listOf("application/json"), sentTypeOf(ByteArray(LARGE).toRequestBody()))
    }

    @Test
    fun a_redirect_is_followed_and_leads_no_key_elsewhere(): Unit = with {
        server.on("within") { redirect("/api/v1/device/info") }
        server.on("away") { redirect("${other.address}/there") }
        server.on("round") { redirect("/api/v1/round") }
        assertEquals(200, ask("within").use { it.code })
        assertEquals(200, ask("away").use { it.code })
        assertEquals(listOf("Device ${BulkServer.KEY}"), server.asked.last()["authorization"])
        assertEquals("", other.asked.take())
        assertContains("${assertFailsWith<IOException> { ask("round") }.message}", "20 times")
        // What changes something is the app's to look at.
        assertEquals(302, ask("within") { post(ByteArray(0).toRequestBody()) }.use { it.code })
    }

    @Test
    fun the_clients_cookies_stay_out_of_it(): Unit = with({ cookieJar(Cookies()) }) {
        server.on("cookies") {
            responseHeaders.add("Set-Cookie", "session=1")
            give(ByteArray(0))
        }
        repeat(2) { ask("cookies").close() }
        assertNull(server.asked.last()["cookie"])
    }

    /** All of a server's cookies for all others. */
    private class Cookies : CookieJar {
        private val all = CopyOnWriteArrayList<Cookie>()

        override fun saveFromResponse(url: HttpUrl, cookies: List<Cookie>) {
            all += cookies
        }

        override fun loadForRequest(url: HttpUrl): List<Cookie> = all
    }

    @Test
    fun interceptors_before_it_see_each_call_and_those_after_it_what_goes_to_others() {
        val before = ArrayList<String>()
        val after = ArrayList<String>()
        fun noting(names: MutableList<String>) = Interceptor { chain ->
            names += chain.request().url.encodedPath
            chain.proceed(chain.request())
        }
        with({ interceptors().add(0, noting(before)); addInterceptor(noting(after)) }) {
            server.on("own") { give(ByteArray(0)) }
            ask("own").close()
            client.newCall(Request.Builder().url("${other.address}/other").build()).execute().close()
            assertEquals(listOf("/api/v1/own", "/other") to listOf("/other"), before to after)
        }
    }

    private companion object {
        const val LARGE = 2 * 1024 * 1024

        fun HttpExchange.give(bytes: ByteArray) {
            responseHeaders.putIfAbsent("Content-Type", listOf("application/json"))
            sendResponseHeaders(200, if (bytes.isEmpty()) -1 else bytes.size.toLong())
            if (bytes.isNotEmpty()) responseBody.use { it.write(bytes) }
        }

        fun HttpExchange.redirect(location: String) {
            responseHeaders.add("Location", location)
            sendResponseHeaders(302, -1)
        }
    }
}
