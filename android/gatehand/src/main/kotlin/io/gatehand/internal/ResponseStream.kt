package io.gatehand.internal

import java.io.IOException
import java.io.InputStream
import java.util.concurrent.atomic.AtomicBoolean

/**
 * Reads a response's body.
 *
 * @param begun What came with the head.
 * @param response The native library's response that has the rest, or 0 if there is none.
 */
internal class ResponseStream(private val begun: ByteArray, private val response: Long) : InputStream() {
    private var taken = 0
    private val closed = AtomicBoolean()

    override fun read(): Int {
        val one = ByteArray(1)
        return if (read(one, 0, 1) < 0) -1 else one[0].toInt() and BYTE
    }

    override fun read(buffer: ByteArray, offset: Int, length: Int): Int {
        if (offset < 0 || length < 0 || length > buffer.size - offset) throw IndexOutOfBoundsException()
        if (closed.get()) throw IOException("the response is closed")
        return when {
            length == 0 -> 0
            taken < begun.size -> take(buffer, offset, length)
            response == 0L -> -1
            else -> readOn(buffer, offset, length)
        }
    }

    private fun take(buffer: ByteArray, offset: Int, length: Int): Int {
        val end = minOf(taken + length, begun.size)
        begun.copyInto(buffer, offset, taken, end)
        return (end - taken).also { taken = end }
    }

    private fun readOn(buffer: ByteArray, offset: Int, length: Int): Int =
        try {
            Native.responseRead(response, buffer, offset, length)
        } catch (error: IllegalStateException) {
            // Also what a read that waits throws when another thread closes the response or the agent.
            throw IOException(error.message, error)
        }

    override fun close() {
        if (closed.compareAndSet(false, true) && response != 0L) Native.responseClose(response)
    }

    private companion object {
        const val BYTE = 0xff
    }
}
