package io.gatehand.internal

import java.io.IOException
import java.io.InputStream
import java.util.concurrent.atomic.AtomicBoolean

/** Reads a response's body out of the native library. */
internal class ResponseStream(private val response: Long) : InputStream() {
    private val closed = AtomicBoolean()

    override fun read(): Int {
        val one = ByteArray(1)
        return if (read(one, 0, 1) < 0) -1 else one[0].toInt() and BYTE
    }

    override fun read(buffer: ByteArray, offset: Int, length: Int): Int {
        if (offset < 0 || length < 0 || length > buffer.size - offset) throw IndexOutOfBoundsException()
        if (closed.get()) throw IOException("the response is closed")
        if (length == 0) return 0
        val read = try {
            Native.responseRead(response, buffer, offset, length)
        } catch (error: IllegalStateException) {
            // Also what a read that waits throws when another thread closes the response or the agent.
            throw IOException(error.message, error)
        }
        return read
    }

    override fun close() {
        if (closed.compareAndSet(false, true)) Native.responseClose(response)
    }

    private companion object {
        const val BYTE = 0xff
    }
}
