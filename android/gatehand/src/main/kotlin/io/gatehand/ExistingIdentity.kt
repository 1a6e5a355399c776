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
 */
public class ExistingIdentity @JvmOverloads constructor(
    public val server: String,
    internal val key: String,
    public val uniqueSerial: String? = null,
) {
    init {
        Arguments.text("the server's address", server)
        Arguments.header("the key", key)
        uniqueSerial?.let { Arguments.text("the serial (null where it is not known)", it) }
    }

    /** Names server and serial; the key is never shown. */
    override fun toString(): String = "ExistingIdentity($server, $uniqueSerial)"
}
