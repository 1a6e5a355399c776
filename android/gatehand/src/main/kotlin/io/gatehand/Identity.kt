package io.gatehand

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
 * @property enrolledAtMillis When it was enrolled, by this device's clock, in milliseconds of the epoch.
 */
public data class Identity(
    public val server: String,
    public val organizer: String,
    public val deviceId: Long,
    public val uniqueSerial: String,
    public val name: String,
    public val securityProfile: String?,
    public val gate: Gate?,
    public val serverVersion: String?,
    public val enrolledAtMillis: Long,
) {
    /** All of it on one line, cleaned for a log. */
    override fun toString(): String = DisplayText.of(
        "Identity(server=$server, organizer=$organizer, deviceId=$deviceId, uniqueSerial=$uniqueSerial, name=$name, " +
            "securityProfile=$securityProfile, gate=$gate, serverVersion=$serverVersion, enrolledAtMillis=$enrolledAtMillis)",
    )
}

/**
 * A gate that a device stands at. Its texts are any text, as those of [Identity].
 *
 * @property id Its number on the server.
 * @property name Its name.
 * @property identifier Its identifier.
 */
public data class Gate(
    public val id: Long,
    public val name: String,
    public val identifier: String,
) {
    /** All of it on one line, cleaned for a log. */
    override fun toString(): String = DisplayText.of("Gate(id=$id, name=$name, identifier=$identifier)")
}
