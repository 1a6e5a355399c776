package io.gatehand.sample

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import io.gatehand.testing.TestServer
import java.net.HttpURLConnection
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.URI
import org.junit.rules.ExternalResource

/** Passes calls on to a server, but not all, as a gateway in front of it might. */
class FrontServer(private val server: TestServer) : ExternalResource() {
    private lateinit var front: HttpServer

    /** Paths that it answers itself, with a 403. */
    @Volatile
    var forbidden = emptySet<String>()

    /** Paths whose answers it keeps. */
    @Volatile
    var unanswered = emptySet<String>()

    val address: String get() = "http://127.0.0.1:${front.address.port}"

    override fun before() {
        front = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)
        front.createContext("/") { it.use(::handle) }
        front.start()
    }

    override fun after() {
        front.stop(0)
    }

    private fun handle(call: HttpExchange) {
        if (call.requestURI.path in forbidden) forbid(call) else pass(call)
    }

    private fun forbid(call: HttpExchange) {
        val answer = """{"detail": "You do not have permission."}""".encodeToByteArray()
        call.responseHeaders.add("Content-Type", "application/json")
        call.sendResponseHeaders(FORBIDDEN, answer.size.toLong())
        call.responseBody.write(answer)
    }

    private fun pass(call: HttpExchange) {
        val behind = URI("${server.address}${call.requestURI}").toURL().openConnection() as HttpURLConnection
        behind.requestMethod = call.requestMethod
        for (name in PASSED) call.requestHeaders.getFirst(name)?.let { behind.setRequestProperty(name, it) }
        val body = call.requestBody.readBytes()
        if (body.isNotEmpty()) {
            behind.doOutput = true
            behind.outputStream.use { it.write(body) }
        }
        val status = behind.responseCode
        val answer = (if (status < FAILURES) behind.inputStream else behind.errorStream).readBytes()
        if (call.requestURI.path in unanswered) return
        behind.contentType?.let { call.responseHeaders.add("Content-Type", it) }
        call.sendResponseHeaders(status, answer.size.toLong())
        call.responseBody.write(answer)
    }

    private fun HttpExchange.use(block: (HttpExchange) -> Unit) {
        try {
            block(this)
        } finally {
            close()
        }
    }

    companion object {
        const val INFO = "/api/v1/device/info"
        const val ROLL = "/api/v1/device/roll"
        const val EVENT_SELECTION = "/api/v1/device/eventselection"
        private const val FORBIDDEN = 403
        private const val FAILURES = 400
        private val PASSED = listOf("Authorization", "Content-Type", "X-Idempotency-Key")
    }
}
