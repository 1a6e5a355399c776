package io.gatehand

import io.gatehand.internal.Arguments
import io.gatehand.internal.Fields

/**
 * What an app calls the keys of its managed configuration.
 *
 * @property url Where the server's address is.
 * @property token Where the initialization token is.
 * @property allowedServers Where it is said which servers this may be.
 */
public class ManagedKeys @JvmOverloads constructor(
    public val url: String = "url",
    public val token: String = "token",
    public val allowedServers: String = "allowed_servers",
) {
    init {
        for (name in listOf(url, token, allowedServers)) Arguments.text("the name of a key", name)
        require(setOf(url, token, allowedServers).size == KEYS) { "two keys of the managed configuration have the same name" }
    }

    private val fields get() = Fields("ManagedKeys", "url" to url, "token" to token, "allowedServers" to allowedServers)

    override fun equals(other: Any?): Boolean = other is ManagedKeys && other.fields == fields

    override fun hashCode(): Int = fields.hashCode()

    override fun toString(): String = fields.toString()

    private companion object {
        const val KEYS = 3
    }
}
