package io.gatehand

import io.gatehand.internal.Arguments
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.nio.charset.CharacterCodingException
import java.util.concurrent.TimeUnit

/**
 * A call of the server's API. The agent adds the device's key; an app never holds it. What is sent
 * again by itself is said at [Agent.request].
 *
 * @property method HTTP method, as `GET`.
 * @property path Path below the server's address, with its query, as
 *   `/api/v1/organizers/bigevents/events/?page=2`. The address of a `next` link is fine too: it
 *   is refused unless it is on the enrolled server below its path prefix.
 * @property body What is sent, if anything.
 * @property headers Further header fields, as names and values.
 * @property once Whether it is sent again only if it surely never arrived.
 * @property idempotencyKey Under this key the server repeats its answer instead of doing a thing twice;
 *   `null` for one that is made for this call.
 * @property timeLimitMillis Longest time that the call takes, retries included; `null` for the agent's. See
 *   [Builder.timeLimit].
 * @property readTimeoutMillis Longest silence of the server; `null` for the agent's. See [Builder.readTimeout].
 */
public class ApiRequest private constructor(builder: Builder) {
    public val method: String = builder.method
    public val path: String = builder.path
    public val body: ApiBody? = builder.body
    public val headers: List<Pair<String, String>> = builder.headers.toList()
    public val once: Boolean = builder.once
    public val idempotencyKey: String? = builder.idempotencyKey
    public val timeLimitMillis: Long? = builder.timeLimitMillis
    public val readTimeoutMillis: Long? = builder.readTimeoutMillis

    override fun toString(): String = "$method $path"

    /** The same with another body, as one that was opened, and with what is left of its time. */
    internal fun sending(body: ApiBody, idempotencyKey: String?, timeLimitMillis: Long?): ApiRequest {
        val same = Builder(method, path).body(body)
        for ((name, value) in headers) same.header(name, value)
        if (once) same.once()
        same.idempotencyKey = idempotencyKey
        same.timeLimitMillis = timeLimitMillis
        same.readTimeoutMillis = readTimeoutMillis
        return same.build()
    }

    /**
     * Collects what makes up a request.
     *
     * @param method HTTP method.
     * @param path See [ApiRequest.path].
     */
    public class Builder(method: String, path: String) {
        internal val method = method.also {
            require(it.isNotEmpty() && it.all { letter -> letter in 'A'..'Z' }) { "an HTTP method is one word of capital letters, as GET" }
        }
        internal val path = Arguments.whole("the path", path).also {
            require(it.isNotBlank()) { "the path is empty: it begins with /api/" }
        }
        internal var body: ApiBody? = null
        internal val headers = ArrayList<Pair<String, String>>()
        internal var once = false
        internal var idempotencyKey: String? = null
        internal var timeLimitMillis: Long? = null
        internal var readTimeoutMillis: Long? = null

        /** Sends [body]. */
        public fun body(body: ApiBody): Builder = apply { this.body = body }

        /**
         * Adds a header field, as `If-Modified-Since`. The call fails with
         * [ErrorCode.ARGUMENT_INVALID] if it is one that the agent or the connection sets:
         * `Authorization`, `Host`, `Cookie`, `Content-Type`, `Accept-Encoding`, `User-Agent` and the like.
         */
        public fun header(name: String, value: String): Builder = apply {
            require(name.isNotEmpty() && name.all { it in 'a'..'z' || it in 'A'..'Z' || it in '0'..'9' || it in "!#$%&'*+-.^_`|~" }) {
                "the name of a header field is one word, as Accept-Language"
            }
            headers.add(name to Arguments.header("the value of $name", value))
        }

        /**
         * Sends the request again only if it surely never arrived: for what changes something at a
         * server that may not know idempotency keys.
         */
        public fun once(): Builder = apply { once = true }

        /**
         * Makes it safe that the app itself makes the call again later: under the same key the server
         * answers as it did the first time. For repetitions within a call one is made anyhow.
         */
        public fun idempotencyKey(key: String): Builder = apply {
            require(key.isNotEmpty() && key.all { it in '!'..'~' }) { "an idempotency key is made of visible ASCII characters" }
            idempotencyKey = key
        }

        /**
         * Longest time that the call takes, retries included: a few seconds where a person waits for it. The
         * agent's own limit holds all the same, which is a minute unless said. Only a call that is
         * [streamed][Agent.stream] may have more, which ends when its answer begins: sending a large body takes long.
         */
        public fun timeLimit(time: Long, unit: TimeUnit): Builder = apply { timeLimitMillis = positive(unit.toMillis(time)) }

        /**
         * Longest silence of the server, in place of the agent's ([AgentConfig.readTimeoutMillis]), which may be less or
         * more: until its answer begins, not counting while it takes what is sent or more of that is awaited, and
         * between two pieces of the answer.
         */
        public fun readTimeout(time: Long, unit: TimeUnit): Builder = apply { readTimeoutMillis = positive(unit.toMillis(time)) }

        /** The request. */
        public fun build(): ApiRequest = ApiRequest(this)

        private fun positive(millis: Long): Long = millis.also { require(it > 0) { "a time limit must be more than 0" } }
    }

    /** Makes simple requests. */
    public companion object {
        /** Reads [path]. */
        @JvmStatic
        public fun get(path: String): ApiRequest = Builder("GET", path).build()

        /** Sends [body] to [path]. */
        @JvmStatic
        public fun post(path: String, body: ApiBody): ApiRequest = Builder("POST", path).body(body).build()

        /** Replaces what is at [path] by [body]. */
        @JvmStatic
        public fun put(path: String, body: ApiBody): ApiRequest = Builder("PUT", path).body(body).build()

        /** Changes what is at [path] as [body] says. */
        @JvmStatic
        public fun patch(path: String, body: ApiBody): ApiRequest = Builder("PATCH", path).body(body).build()

        /** Deletes what is at [path]. */
        @JvmStatic
        public fun delete(path: String): ApiRequest = Builder("DELETE", path).build()
    }
}

/** Opens what a request sends, each time from its beginning. */
public fun interface BodySource {
    /** A new stream, which is read once and closed. */
    @Throws(IOException::class)
    public fun open(): InputStream
}

/** What a request sends. */
public sealed class ApiBody {
    /** Its media type, as `application/json`. */
    public abstract val contentType: String

    /** What is sent, from its beginning; the stream itself where that is read once. */
    @Throws(IOException::class)
    public abstract fun open(): InputStream

    internal class Bytes(val bytes: ByteArray, override val contentType: String) : ApiBody() {
        override fun open(): InputStream = bytes.inputStream()
    }

    internal class Stream(val stream: InputStream, val length: Long, override val contentType: String) : ApiBody() {
        override fun open(): InputStream = stream
    }

    internal class Source(val length: () -> Long, override val contentType: String, private val source: BodySource) : ApiBody() {
        override fun open(): InputStream = source.open()
    }

    /** Makes bodies. */
    public companion object {
        /**
         * JSON text.
         *
         * @throws IllegalArgumentException It has half a character (a lone surrogate) in it.
         */
        @JvmStatic
        public fun json(text: String): ApiBody =
            try {
                Bytes(text.encodeToByteArray(throwOnInvalidSequence = true), "application/json")
            } catch (broken: CharacterCodingException) {
                throw IllegalArgumentException("the JSON text has half a character (a lone surrogate) in it", broken)
            }

        /** Bytes, which must not be changed until the call is done. */
        @JvmStatic
        public fun bytes(bytes: ByteArray, contentType: String): ApiBody =
            Bytes(bytes, Arguments.header("the content type", contentType))

        /** What is in [file], which is sent again as any other body is, and may be of any size. */
        @JvmStatic
        public fun file(file: File, contentType: String): ApiBody =
            Source(file::length, Arguments.header("the content type", contentType), file::inputStream)

        /**
         * What [source] opens, anew each time that it is sent: as that of a content provider. May be of any size.
         *
         * @param length Number of bytes, or -1 if that is not known.
         * @throws IllegalArgumentException The length is another negative number.
         */
        @JvmStatic
        @JvmOverloads
        public fun source(source: BodySource, contentType: String, length: Long = -1): ApiBody {
            require(length >= -1) { "a body's length is a number of bytes, or -1 if it is not known" }
            return Source({ length }, Arguments.header("the content type", contentType), source)
        }

        /**
         * What can be read from [stream], which is read once and closed. A request with such a body
         * is not sent again by itself once its first byte is on the way; one of [file] or [source] is.
         *
         * @param length Number of bytes, or -1 if that is not known.
         * @throws IllegalArgumentException The length is another negative number.
         */
        @JvmStatic
        @JvmOverloads
        public fun stream(stream: InputStream, contentType: String, length: Long = -1): ApiBody {
            require(length >= -1) { "a body's length is a number of bytes, or -1 if it is not known" }
            return Stream(stream, length, Arguments.header("the content type", contentType))
        }
    }
}
