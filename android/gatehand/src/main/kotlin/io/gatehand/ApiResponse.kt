package io.gatehand

import java.io.Closeable
import java.io.IOException
import java.io.InputStream

/**
 * The server's answer, whatever its status. What stands before the server may have answered in its
 * place, as a network's login page does: where JSON is due, look at `Content-Type`.
 *
 * @property status HTTP status.
 * @property headers Its header fields.
 * @property body Its body; empty if there is none.
 */
public class ApiResponse(
    public val status: Int,
    public val headers: ApiHeaders,
    public val body: ByteArray,
) {
    /** Whether the status is one of success, 200 to 299. */
    public val isSuccessful: Boolean get() = status in 200..299

    /** The body as UTF-8 text; wrong bytes become replacement characters. */
    public fun text(): String = body.decodeToString()

    override fun toString(): String = "ApiResponse($status, ${body.size} bytes)"
}

/**
 * The server's answer with its body still on the way, with all that is said of [ApiResponse]. Close it,
 * or read it to its end.
 *
 * @property status HTTP status.
 * @property headers Its header fields.
 * @property body Reads the body; blocks while it waits for the network, so read it off the main
 *   thread. What breaks is a [GatehandException]; what is read after it was closed, another [IOException].
 */
public class StreamedResponse(
    public val status: Int,
    public val headers: ApiHeaders,
    public val body: InputStream,
) : Closeable {
    /** Whether the status is one of success, 200 to 299. */
    public val isSuccessful: Boolean get() = status in 200..299

    /** Gives up what was not read yet. */
    @Throws(IOException::class)
    override fun close() {
        body.close()
    }

    override fun toString(): String = "StreamedResponse($status)"
}

/**
 * The header fields of an answer, in their order. Names are compared without regard to case.
 *
 * @param fields Their names and values.
 */
public class ApiHeaders(private val fields: List<Pair<String, String>>) {
    /** The first value of [name], or `null`. */
    public operator fun get(name: String): String? = fields.firstOrNull { it.first.equals(name, ignoreCase = true) }?.second

    /** All values of [name]. */
    public fun all(name: String): List<String> = fields.filter { it.first.equals(name, ignoreCase = true) }.map { it.second }

    /** The names that occur, in lower case. */
    public fun names(): Set<String> = fields.mapTo(LinkedHashSet()) { it.first.lowercase() }

    override fun toString(): String = names().toString()
}
