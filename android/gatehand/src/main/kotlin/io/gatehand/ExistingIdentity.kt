package io.gatehand

import io.gatehand.internal.Arguments

/**
 * A key that an app already has, from before it used gatehand, so that the device need not be
 * enrolled again.
 *
 * @param key The API key, as the app sent it in `Authorization: Device …`.
 * @property server Address of the server, with its path prefix; `https://` may be left out.
 * @property uniqueSerial Serial that the key belongs to, or `null` if the app does not know it: a key of
 *   another device is refused then, with [ErrorCode.OTHER_DEVICE].
 * @property mediaKeyAlias Name, in the Android Keystore, of the RSA key that the app has reported for NFC media, or
 *   `null` if it has reported none. The server takes no other key for this device, so the app never deletes it.
 */
public class ExistingIdentity(
    public val server: String,
    internal val key: String,
    public val uniqueSerial: String?,
    public val mediaKeyAlias: String?,
) {
    /** Of an app that has reported no RSA key. */
    @JvmOverloads
    public constructor(server: String, key: String, uniqueSerial: String? = null) : this(server, key, uniqueSerial, null)

    init {
        Arguments.text("the server's address", server)
        Arguments.header("the key", key)
        uniqueSerial?.let { Arguments.text("the serial (null where it is not known)", it) }
        mediaKeyAlias?.let { Arguments.text("the RSA key's alias (null where there is none)", it) }
    }

    /** Names server, serial and alias; the key is never shown. */
    override fun toString(): String = "ExistingIdentity($server, $uniqueSerial, $mediaKeyAlias)"
}
