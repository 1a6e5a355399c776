package io.gatehand

import io.gatehand.internal.Codec
import io.gatehand.internal.Native
import io.gatehand.internal.NativeLibrary
import java.net.URI

/**
 * An initialization token and the server it is for, read from a code but not redeemed.
 *
 * A code can come from anywhere: a link in a message, a sticker over the right one. So show
 * [origin] to the person at the device, and pass what they agreed to to [confirmed]; only the
 * result of that can be redeemed.
 *
 * @property server Address of the server, with its path prefix.
 * @property origin Scheme, host and port of the server, as `https://pretix.eu`: what a person has
 *   to confirm. An international name is followed by its ASCII form, since it may look like another.
 * @property host The host alone, in ASCII.
 * @property exactOrigin The [origin] in ASCII, for programs to compare, as with a list of servers that
 *   an app allows: `https://xn--mnchen-3ya.example`.
 * @property isSecure Whether nobody on the network can read what is sent there: by `https://`, or
 *   because the server is on this very device. What is not is refused by [Agent.initialize],
 *   unless [AgentConfig.allowHttp] allows it.
 * @property mapping What was undone to read the code, as "the scanner is set to a US keyboard and this
 *   system to a German one": a scanner that types was set to another keyboard layout than the device, or
 *   caps lock was on. Layouts are named where the code tells them; of a few that it may be, all are. Show it with the [origin], which may have been read wrongly. `null` if the code was
 *   read as it is.
 */
public class Enrolment internal constructor(
    public val server: String,
    public val origin: String,
    public val host: String,
    public val exactOrigin: String,
    public val isSecure: Boolean,
    internal val token: String,
    internal val otherTokens: List<String> = emptyList(),
    public val mapping: String? = null,
) {
    /**
     * This enrolment, ready to be redeemed at the server that a person has agreed to.
     *
     * @param origin The [origin] that was shown. If it is another one, as after a second scan,
     *   nothing can be redeemed.
     * @throws IllegalArgumentException [origin] is not that of this enrolment.
     */
    public fun confirmed(origin: String): ConfirmedEnrolment {
        require(origin == this.origin) {
            "the person agreed to $origin, but this code is for ${this.origin}: ask again"
        }
        return ConfirmedEnrolment(this)
    }

    override fun equals(other: Any?): Boolean =
        other is Enrolment && other.server == server && other.token == token

    override fun hashCode(): Int = 31 * server.hashCode() + token.hashCode()

    /** Names the server; the token is never shown. */
    override fun toString(): String = "Enrolment($server)"

    /**
     * Makes the enrolment of a server and a token that are known, without the native library: for previews and
     * an app's own tests. What a person scans or types is read by [parse] and [of].
     *
     * @param server Address of the server, in ASCII and with `https://` or `http://`.
     * @param token The initialization token.
     * @throws IllegalArgumentException The address is none.
     */
    public class Builder(private val server: String, private val token: String) {
        private val address = URI.create(server).also {
            require(it.host != null && it.scheme in listOf("https", "http")) { "$server is no address as https://pretix.eu" }
        }
        private var mapping: String? = null

        /** Says what was undone to read the code; see [Enrolment.mapping]. */
        public fun mapping(mapping: String?): Builder = apply { this.mapping = mapping }

        /** The enrolment. */
        public fun build(): Enrolment {
            val origin = "${address.scheme}://${address.rawAuthority}"
            val isSecure = address.scheme == "https" || address.host in listOf("localhost", "127.0.0.1", "[::1]")
            return Enrolment(server, origin, address.host, origin, isSecure, token, mapping = mapping)
        }
    }

    /** Makes enrolments. */
    public companion object {
        /**
         * Reads what a scanner read: a QR code's payload or a `pretixscan://setup` link, with what hand
         * scanners put around it, as a mail or a page has it, or through another keyboard layout
         * (see [mapping]); or an address and a token side by side, if there is one of either. The first call loads the native library, which takes some milliseconds; after that it is quick.
         *
         * @throws EnrolmentCodeException It is something else; the message says what, in words for
         *   the person at the device.
         * @throws GatehandException The native library can't be used, or the text is broken.
         */
        @JvmStatic
        @Throws(GatehandException::class)
        public fun parse(scannedText: String): Enrolment {
            val text = Codec.text(scannedText, "the scanned text")
            NativeLibrary.load()
            return Codec.enrolment(Native.parseEnrolment(text))
        }

        /**
         * The enrolment that was typed by hand. Loads the native library as [parse] does.
         *
         * @param server Address of the server; `https://` may be left out.
         * @param token The initialization token; a whole code or link in its place is refused.
         * @throws EnrolmentCodeException One of them can't be used; the message says which and why.
         * @throws GatehandException The native library can't be used, or a text is broken.
         */
        @JvmStatic
        @Throws(GatehandException::class)
        public fun of(server: String, token: String): Enrolment {
            val address = Codec.text(server, "the server's address")
            val word = Codec.text(token, "the token")
            NativeLibrary.load()
            return Codec.enrolment(Native.typedEnrolment(address, word))
        }
    }
}

/** An enrolment whose server a person, or the device's management, has agreed to. */
public class ConfirmedEnrolment internal constructor(internal val enrolment: Enrolment) {
    /** See [Enrolment.server]. */
    public val server: String get() = enrolment.server

    /** Names the server; the token is never shown. */
    override fun toString(): String = "Confirmed$enrolment"
}
