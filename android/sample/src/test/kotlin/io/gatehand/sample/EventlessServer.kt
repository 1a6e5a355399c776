package io.gatehand.sample

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import io.gatehand.testing.TestServer
import java.net.HttpURLConnection
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.URI
import org.junit.rules.ExternalResource

/** Passes calls on to a server, but lets nobody ask for events, as a gateway in front of it might. */
class EventlessServer(private val server: TestServer) : ExternalResource() {
    private lateinit var front: HttpServer

    val address: String get() = "http://127.0.0.1:${front.address.port}"

    override fun before() {
        front = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)
        front.createContext("/") { it.use(::pass) }
        front.createContext("/api/v1/device/eventselection") { it.use(::forbid) }
        front.start()
    }

    override fun after() {
        front.stop(0)
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

    private companion object {
        const val FORBIDDEN = 403
        const val FAILURES = 400
        val PASSED = listOf("Authorization", "Content-Type", "X-Idempotency-Key")
    }
}
