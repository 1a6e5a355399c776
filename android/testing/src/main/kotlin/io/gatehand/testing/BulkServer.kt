package io.gatehand.testing

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream
import java.net.InetAddress
import java.net.InetSocketAddress
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.Executors
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.Semaphore
import java.util.concurrent.TimeUnit
import org.junit.rules.ExternalResource

/**
 * A server that knows one device, and for the rest moves large bodies, and answers as a server should
 * not: what the real one has no calls for.
 */
class BulkServer : ExternalResource() {
    private lateinit var server: HttpServer
    private val threads = Executors.newCachedThreadPool()
    private val goOn = Semaphore(0)
    private val begun = Semaphore(0)
    private val taken = LinkedBlockingQueue<Taken>()

    /** What was read of a request's body: how long it was said to be, how long it was, and whether it ended. */
    class Taken(val saidLength: String?, val bytes: Long, val sum: Long, val ended: Boolean)

    /** How many calls of `stuck` came, which neither reads nor answers. */
    @Volatile
    var stuck: Int = 0
        private set

    /** Where it listens. */
    val address: String get() = "http://127.0.0.1:${server.address.port}"

    override fun before() {
        server = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)
        server.executor = threads
        server.createContext("/api/v1/device/info") { it.answer(200, INFO) }
        server.createContext("/api/v1/take", ::take)
        server.createContext("/api/v1/echo", ::echo)
        server.createContext("/api/v1/second", ::takeTheSecond)
        server.createContext("/api/v1/busy", ::beBusyAtFirst)
        server.createContext("/api/v1/early", ::answerEarly)
        server.createContext("/api/v1/stuck") {
            stuck++
            goOn.acquire()
        }
        server.createContext("/api/v1/slow", ::give)
        server.createContext("/api/v1/bulk", ::giveMuch)
        server.createContext("/api/v1/torn", ::tear)
        server.start()
    }

    override fun after() {
        goOn.release(MANY)
        server.stop(0)
        threads.shutdownNow()
    }

    /** What has become of the next body that was sent to `take`. */
    fun taken(): Taken = checkNotNull(taken.poll(1, TimeUnit.MINUTES)) { "no body came" }

    /** Waits until the next body that is sent to `take` has begun to come. */
    fun awaitBody() {
        check(begun.tryAcquire(1, TimeUnit.MINUTES)) { "no body came" }
    }

    /** Lets `slow`, `early` or `stuck` do its next step. */
    fun goOn() {
        goOn.release()
    }

    private fun take(exchange: HttpExchange) {
        begun.release()
        val said = exchange.requestHeaders.getFirst("Content-Length")
        var bytes = 0L
        var sum = 0L
        val ended = try {
            val piece = ByteArray(PIECE)
            while (true) {
                val length = exchange.requestBody.read(piece)
                if (length < 0) break
                bytes += length
                for (index in 0 until length) sum = sum * FACTOR + piece[index]
            }
            true
        } catch (_: IOException) {
            false
        }
        taken.add(Taken(said, bytes, sum, ended))
        if (ended) exchange.answer(200, "{}") else exchange.close()
    }

    /** The idempotency keys of the calls of `second` and `busy`. */
    val keys = CopyOnWriteArrayList<String>()

    /** Hangs up on the first body once some of it has come, and takes the next one. */
    private fun takeTheSecond(exchange: HttpExchange) {
        keys.add(exchange.requestHeaders.getFirst("X-Idempotency-Key"))
        if (keys.size > 1) return take(exchange)
        exchange.requestBody.read(ByteArray(PIECE))
        exchange.close()
    }

    private fun beBusyAtFirst(exchange: HttpExchange) {
        keys.add(exchange.requestHeaders.getFirst("X-Idempotency-Key"))
        if (keys.size > 1) return take(exchange)
        exchange.requestBody.copyTo(OutputStream.nullOutputStream())
        exchange.answer(503, "{}")
    }

    private fun echo(exchange: HttpExchange) {
        exchange.responseHeaders.add("Content-Type", exchange.requestHeaders.getFirst("Content-Type") ?: "none")
        exchange.sendResponseHeaders(200, 0)
        exchange.responseBody.use { exchange.requestBody.copyTo(it) }
    }

    /** Reads nothing of the body; answers with the head first, and then with its own. */
    private fun answerEarly(exchange: HttpExchange) {
        goOn.acquire()
        val words = "too large".encodeToByteArray()
        exchange.sendResponseHeaders(413, words.size.toLong())
        exchange.responseBody.flush()
        goOn.acquire()
        exchange.responseBody.write(words)
        exchange.responseBody.flush()
        goOn.acquire()
    }

    /** The first half, and the second when it may go on. */
    private fun give(exchange: HttpExchange) {
        exchange.sendResponseHeaders(200, 0)
        exchange.responseBody.write("first ".encodeToByteArray())
        exchange.responseBody.flush()
        goOn.acquire()
        exchange.responseBody.use { it.write("second".encodeToByteArray()) }
    }

    private fun giveMuch(exchange: HttpExchange) {
        val bytes = exchange.requestURI.query.toLong()
        exchange.sendResponseHeaders(200, bytes)
        exchange.responseBody.use { numbers(bytes).copyTo(it) }
    }

    private fun tear(exchange: HttpExchange) {
        exchange.sendResponseHeaders(200, LENGTH_OF_TORN)
        exchange.responseBody.write("only this".encodeToByteArray())
        exchange.responseBody.flush()
        exchange.close()
    }

    private fun HttpExchange.answer(status: Int, json: String) {
        val bytes = json.encodeToByteArray()
        responseHeaders.add("Content-Type", "application/json")
        sendResponseHeaders(status, bytes.size.toLong())
        responseBody.use { it.write(bytes) }
    }

    companion object {
        /** The key of its only device. */
        val KEY: String = "k".repeat(64)

        private const val MANY = 100
        private const val PIECE = 16 * 1024
        private const val FACTOR = 31
        private const val LENGTH_OF_TORN = 1000L

        /** What it says of its device. */
        val INFO: String =
            """{"device": {"organizer": "bigevents", "device_id": 1, "unique_serial": "LF1LCJWO6I2M1G9K", "api_token": "$KEY",
                "name": "Lane 1"}, "server": {"version": {"pretix": "2026.8.0", "pretix_numeric": 20260080005000}}}"""

        /** That many bytes of no regular order, made while they are read. */
        fun numbers(bytes: Long): InputStream = object : InputStream() {
            private var position = 0L

            override fun read(): Int = if (position == bytes) -1 else at(position++).toInt() and BYTE

            override fun read(buffer: ByteArray, offset: Int, length: Int): Int {
                val now = minOf(length.toLong(), bytes - position).toInt()
                if (now == 0) return if (length == 0) 0 else -1
                for (index in 0 until now) buffer[offset + index] = at(position++)
                return now
            }
        }

        /** What [Taken.sum] is for [numbers]. */
        fun sumOf(bytes: Long): Long = (0 until bytes).fold(0L) { sum, position -> sum * FACTOR + at(position) }

        private fun at(position: Long): Byte = (position * position ushr SHIFT xor position).toByte()

        private const val BYTE = 0xff
        private const val SHIFT = 7
    }
}
