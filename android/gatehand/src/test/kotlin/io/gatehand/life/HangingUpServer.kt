package io.gatehand.life

import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import org.junit.rules.ExternalResource

/** Answers one request on each connection and closes it then, without having said so. */
internal class HangingUpServer(private val answer: String) : ExternalResource() {
    private lateinit var socket: ServerSocket
    private val answered = AtomicInteger()

    val address: String get() = "http://127.0.0.1:${socket.localPort}"

    /** How many requests were answered, each on a connection that is closed now. */
    val requests: Int get() = answered.get()

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
            while (!lines.readLine().isNullOrEmpty()) continue
            val head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${answer.length}\r\n\r\n"
            it.getOutputStream().write((head + answer).encodeToByteArray())
        }
        answered.incrementAndGet()
    }

    private companion object {
        const val BACKLOG = 10
    }
}
