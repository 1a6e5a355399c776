package io.gatehand.testing

import java.io.Closeable
import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.URI
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/**
 * Stands between agents and a server, and can stop a call at any byte of the request or the answer:
 * what comes after it is taken and passed on to nobody.
 *
 * @param server Address of the server.
 */
class TestProxy(server: String) : Closeable {
    private val target = URI(server).let { InetSocketAddress(it.host, it.port) }
    private val listener = ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress())
    private val open = CopyOnWriteArrayList<Socket>()
    private val reached = CountDownLatch(1)

    @Volatile
    private var sent = Int.MAX_VALUE

    @Volatile
    private var received = Int.MAX_VALUE

    /** How many connections were made to it. */
    val connections: Int get() = open.size / 2

    /** Where it listens. */
    val address: String = "http://127.0.0.1:${listener.localPort}"

    init {
        daemon {
            while (true) accept()
        }
    }

    /** From now on no connection passes more than [sent] bytes to the server and [received] bytes back. */
    fun stopAfter(sent: Int, received: Int = Int.MAX_VALUE): TestProxy = apply {
        this.sent = sent
        this.received = received
    }

    /** New connections pass everything. */
    fun letPass(): TestProxy = stopAfter(Int.MAX_VALUE)

    /** Waits until a connection was stopped, or the first answer was passed on as a whole. */
    fun awaitMoment() {
        check(reached.await(1, TimeUnit.MINUTES)) { "nothing was stopped at $address" }
    }

    /** Breaks all connections off. */
    fun breakOff(): Unit = open.forEach(Socket::close)

    override fun close() {
        listener.close()
        breakOff()
    }

    private fun accept() {
        val agent = listener.accept().also(open::add)
        val limit = sent
        val limitBack = received
        // A server that is away is a connection that ends at once.
        val server = Socket().also(open::add)
        try {
            server.connect(target)
        } catch (_: IOException) {
            agent.close()
            return
        }
        daemon {
            // The server never learns of the end of a request that was stopped.
            if (limit == 0) reached.countDown()
            pass(agent, server, limit) { reached.countDown() }
        }
        daemon {
            val answer = AnswerEnd()
            pass(server, agent, limitBack, answer::sees) { reached.countDown() }
        }
    }

    private fun pass(from: Socket, to: Socket, limit: Int, passed: (String) -> Boolean = { false }, stopped: () -> Unit) {
        val piece = ByteArray(PIECE)
        var rest = limit
        try {
            while (true) {
                val length = from.getInputStream().read(piece)
                if (length < 0) break
                val part = minOf(length, rest)
                to.getOutputStream().write(piece, 0, part)
                rest -= part
                if (part < length || passed(String(piece, 0, part, Charsets.ISO_8859_1))) stopped()
            }
        } catch (_: IOException) {
            // The other direction has closed them.
        } finally {
            from.close()
            to.close()
        }
    }

    private fun daemon(work: () -> Unit) {
        val quiet = {
            try {
                work()
            } catch (_: IOException) {
                // Closed.
            }
        }
        Thread(quiet, "proxy").apply { isDaemon = true }.start()
    }

    /** Notices the end of an answer that tells its length. */
    private class AnswerEnd {
        private val text = StringBuilder()

        fun sees(piece: String): Boolean {
            text.append(piece)
            val head = text.indexOf(HEAD_END)
            val length = LENGTH.find(text)?.groupValues?.get(1)?.toInt() ?: return false
            return head >= 0 && text.length >= head + HEAD_END.length + length
        }
    }

    private companion object {
        const val BACKLOG = 50
        const val PIECE = 16 * 1024
        const val HEAD_END = "\r\n\r\n"
        val LENGTH = Regex("content-length: ([0-9]+)", RegexOption.IGNORE_CASE)
    }
}
