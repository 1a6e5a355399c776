package io.gatehand.testing

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import java.io.Closeable
import java.net.HttpURLConnection
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.URI
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.Executors

/**
 * Stands before a server as a gateway or a hotspot does, and answers in its place when it is told to.
 *
 * @param server Tells the address of the server.
 */
class TestGateway(private val server: () -> String) : Closeable {
    private val threads = Executors.newCachedThreadPool()
    private val listener = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)

    /** An answer of its own: status, content type and body, and the paths it is for, or `null` for all. */
    class Answer(val status: Int, val type: String, val body: String, val paths: Set<String>?)

    /** A request that came, with its header fields by their names in lower case. */
    class Seen(val method: String, val path: String, val headers: Map<String, String>)

    /** What is answered in the server's place, or `null` to always ask the server. */
    @Volatile
    var answer: Answer? = null

    /** Paths whose requests get to the server, and whose answers get lost. */
    @Volatile
    var unanswered = emptySet<String>()

    /** What becomes of the bodies of the server's own answers. */
    @Volatile
    var retelling: (String) -> String = { it }

    /** All requests that came, in their order. */
    val seen: MutableList<Seen> = CopyOnWriteArrayList()

    /** Where it listens. */
    val address: String = "http://127.0.0.1:${listener.address.port}"

    init {
        listener.executor = threads
        listener.createContext("/") { it.use(::handle) }
        listener.start()
    }

    /** Answers with this from now on, requests of [paths] alone if there are any. */
    fun answers(status: Int, body: String = """{"detail": "No."}""", type: String = "application/json", paths: Set<String>? = null) {
        answer = Answer(status, type, body, paths)
    }

    override fun close() {
        listener.stop(0)
        threads.shutdownNow()
    }

    private fun handle(exchange: HttpExchange) {
        val headers = exchange.requestHeaders.mapKeys { it.key.lowercase() }.mapValues { it.value.joinToString() }
        seen.add(Seen(exchange.requestMethod, exchange.requestURI.toString(), headers))
        val body = exchange.requestBody.readBytes()
        val own = answer?.takeIf { it.paths?.contains(exchange.requestURI.path) ?: true }
        if (own == null) pass(exchange, body) else respond(exchange, own.status, own.type, own.body.encodeToByteArray())
    }

    private fun pass(exchange: HttpExchange, body: ByteArray) {
        val call = URI("${server()}${exchange.requestURI}").toURL().openConnection() as HttpURLConnection
        call.requestMethod = exchange.requestMethod
        for (name in listOf("Authorization", "Content-Type", "X-Idempotency-Key")) {
            exchange.requestHeaders.getFirst(name)?.let { call.setRequestProperty(name, it) }
        }
        if (body.isNotEmpty()) {
            call.doOutput = true
            call.outputStream.use { it.write(body) }
        }
        val status = call.responseCode
        val answer = (if (status < FAILURES) call.inputStream else call.errorStream)?.use { it.readBytes() } ?: ByteArray(0)
        val told = if (answer.isEmpty()) answer else retelling(answer.decodeToString()).encodeToByteArray()
        if (exchange.requestURI.path !in unanswered) respond(exchange, status, call.contentType, told)
    }

    private fun respond(exchange: HttpExchange, status: Int, type: String?, body: ByteArray) {
        type?.let { exchange.responseHeaders.add("Content-Type", it) }
        exchange.sendResponseHeaders(status, if (body.isEmpty()) NO_BODY else body.size.toLong())
        if (body.isNotEmpty()) exchange.responseBody.write(body)
    }

    /** Paths of the device API. */
    companion object {
        const val INITIALIZE = "/api/v1/device/initialize"
        const val INFO = "/api/v1/device/info"
        const val ROLL = "/api/v1/device/roll"
        const val EVENT_SELECTION = "/api/v1/device/eventselection"
        private const val FAILURES = 400
        private const val NO_BODY = -1L
    }
}
