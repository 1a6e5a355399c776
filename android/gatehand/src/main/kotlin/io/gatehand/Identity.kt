package io.gatehand

/**
 * Who this device is: what the server last said. The key is not part of it.
 *
 * @property server Address of the server, with its path prefix.
 * @property organizer Slug of the organizer.
 * @property deviceId Number within the organizer.
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
)

/**
 * A gate that a device stands at.
 *
 * @property id Its number on the server.
 * @property name Its name.
 * @property identifier Its identifier.
 */
public data class Gate(
    public val id: Long,
    public val name: String,
    public val identifier: String,
)
