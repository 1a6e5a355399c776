package io.gatehand.life

import java.io.File
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import org.junit.rules.ExternalResource

/**
 * Answers one request on each connection and closes it then, without having said so.
 *
 * @param info What it answers to `device/info`; it takes no report, and knows nothing else.
 */
class HangingUpServer(private val info: String) : ExternalResource() {
    private lateinit var socket: ServerSocket
    private val begun = AtomicInteger()
    private val ended = AtomicInteger()

    val address: String get() = "http://127.0.0.1:${socket.localPort}"

    /** How many requests came. Waits until the connections of all are closed, and this system knows it. */
    fun requests(): Int {
        while (ended.get() < begun.get() || isConnected()) Thread.onSpinWait()
        return begun.get()
    }

    /** Whether a client still has a connection that nobody has ended. */
    private fun isConnected(): Boolean {
        val established = " 0100007F:%04X 01 ".format(socket.localPort)
        return File("/proc/net/tcp").useLines { lines -> lines.any { established in it } }
    }

    override fun before() {
        socket = ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress())
        thread(isDaemon = true) {
            while (!socket.isClosed) {
                runCatching { socket.accept() }.onSuccess { thread(isDaemon = true) { serve(it) } }
            }
        }
    }

    override fun after() {
        socket.close()
    }

    private fun serve(connection: Socket) {
        connection.use {
            val lines = it.getInputStream().bufferedReader()
            val request = lines.readLine() ?: return
            begun.incrementAndGet()
            val fields = generateSequence { lines.readLine() }.takeWhile(String::isNotEmpty).toList()
            // A body that is not read would break the connection off.
            val length = fields.firstOrNull { field -> field.startsWith("content-length: ", ignoreCase = true) }
            repeat(length?.substringAfter(' ')?.toInt() ?: 0) { lines.read() }
            val (status, answer) = when {
                "/device/info" in request -> "200 OK" to info
                "/device/update" in request -> "400 Bad Request" to """{"info": ["not wanted"]}"""
                else -> "404 Not Found" to "{}"
            }
            val head = "HTTP/1.1 $status\r\nContent-Type: application/json\r\nContent-Length: ${answer.length}\r\n\r\n"
            it.getOutputStream().write((head + answer).encodeToByteArray())
        }
        ended.incrementAndGet()
    }

    private companion object {
        const val BACKLOG = 10
    }
}
