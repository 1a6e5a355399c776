package io.gatehand

import io.gatehand.internal.Fields

/**
 * Who this device is: what the server last said. The key is not part of it.
 *
 * Texts are kept as the server has them, whatever characters they hold: [DisplayText] cleans them for a
 * screen. What it does not tell is empty, or 0.
 *
 * @property server Address of the server, with its path prefix.
 * @property organizer Slug of the organizer.
 * @property deviceId Number within the organizer, from 1 on.
 * @property uniqueSerial Serial, unique on the server.
 * @property name The name people gave the device.
 * @property securityProfile Which part of the API the device may use; `null` on older servers.
 * @property gate Where the device stands, if it was said.
 * @property serverVersion The server's version; `null` before it was heard.
 * @property serverVersionNumeric The same as a number, the server's `pretix_numeric`, by which versions are compared, as
 *   20260080005000; `null` before it was heard.
 * @property enrolledAtMillis When it was enrolled, by this device's clock, in milliseconds of the epoch.
 */
public class Identity internal constructor(
    public val server: String,
    public val organizer: String,
    public val deviceId: Long,
    public val uniqueSerial: String,
    public val name: String,
    public val securityProfile: String?,
    public val gate: Gate?,
    public val serverVersion: String?,
    public val enrolledAtMillis: Long,
    public val serverVersionNumeric: Long? = null,
) {
    private val fields get() = Fields(
            "Identity", "server" to server, "organizer" to organizer, "deviceId" to deviceId, "uniqueSerial" to uniqueSerial,
            "name" to name, "securityProfile" to securityProfile, "gate" to gate, "serverVersion" to serverVersion, "enrolledAtMillis" to enrolledAtMillis,
            "serverVersionNumeric" to serverVersionNumeric,
        )

    override fun equals(other: Any?): Boolean = other is Identity && other.fields == fields

    override fun hashCode(): Int = fields.hashCode()

    /** All of it on one line, cleaned for a log. */
    override fun toString(): String = fields.toString()

    /** A builder with all of this one, to be changed. */
    public fun toBuilder(): Builder = Builder(server).organizer(organizer).deviceId(deviceId).uniqueSerial(uniqueSerial).name(name)
        .securityProfile(securityProfile).gate(gate).serverVersion(serverVersion).enrolledAtMillis(enrolledAtMillis)
        .serverVersionNumeric(serverVersionNumeric)

    /**
     * Makes an identity, for previews and an app's own tests. What is not said is as if the server did not tell it.
     *
     * @param server See [Identity.server].
     */
    public class Builder(private val server: String) {
        private var organizer = ""
        private var deviceId = 0L
        private var uniqueSerial = ""
        private var name = ""
        private var securityProfile: String? = null
        private var gate: Gate? = null
        private var serverVersion: String? = null
        private var enrolledAtMillis = 0L
        private var serverVersionNumeric: Long? = null

        /** Sets [Identity.organizer]. */
        public fun organizer(slug: String): Builder = apply { organizer = slug }

        /** Sets [Identity.deviceId]. */
        public fun deviceId(number: Long): Builder = apply { deviceId = number }

        /** Sets [Identity.uniqueSerial]. */
        public fun uniqueSerial(serial: String): Builder = apply { uniqueSerial = serial }

        /** Sets [Identity.name]. */
        public fun name(name: String): Builder = apply { this.name = name }

        /** Sets [Identity.securityProfile]. */
        public fun securityProfile(profile: String?): Builder = apply { securityProfile = profile }

        /** Sets [Identity.gate]. */
        public fun gate(gate: Gate?): Builder = apply { this.gate = gate }

        /** Sets [Identity.serverVersion]. */
        public fun serverVersion(version: String?): Builder = apply { serverVersion = version }

        /** Sets [Identity.enrolledAtMillis]. */
        public fun enrolledAtMillis(millis: Long): Builder = apply { enrolledAtMillis = millis }

        /** Sets [Identity.serverVersionNumeric]. */
        public fun serverVersionNumeric(number: Long?): Builder = apply { serverVersionNumeric = number }

        /** The identity. */
        public fun build(): Identity = Identity(
            server, organizer, deviceId, uniqueSerial, name, securityProfile, gate, serverVersion, enrolledAtMillis, serverVersionNumeric,
        )
    }
}

/**
 * A gate that a device stands at. Its texts are any text, as those of [Identity].
 *
 * @property id Its number on the server.
 * @property name Its name.
 * @property identifier Its identifier.
 */
public class Gate(
    public val id: Long,
    public val name: String,
    public val identifier: String,
) {
    private val fields get() = Fields("Gate", "id" to id, "name" to name, "identifier" to identifier)

    override fun equals(other: Any?): Boolean = other is Gate && other.fields == fields

    override fun hashCode(): Int = fields.hashCode()

    /** All of it on one line, cleaned for a log. */
    override fun toString(): String = fields.toString()
}
