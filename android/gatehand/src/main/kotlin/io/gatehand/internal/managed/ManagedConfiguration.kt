package io.gatehand.internal.managed

import android.content.Context
import android.content.RestrictionsManager
import android.os.Bundle

/**
 * What a device's management has set for the app: its app restrictions.
 *
 * `url` and `token` are what to enrol with. `allowed_servers` names the servers that this may be,
 * in a list or in one text with commas: origins as `https://pretix.eu`, where `https://` may be left
 * out. Without it nothing is redeemed.
 */
internal class ManagedConfiguration(
    val server: String,
    val token: String,
    private val allowed: Set<String>,
) {
    /** Whether [origin], as the native library writes it in ASCII, may be enrolled at. */
    fun allows(origin: String): Boolean = origin in allowed

    override fun toString(): String = "ManagedConfiguration($server, allowed=$allowed)"

    companion object {
        const val URL = "url"
        const val TOKEN = "token"
        const val ALLOWED_SERVERS = "allowed_servers"

        /** The configuration; `null` if the app is not managed, or no enrolment is set. */
        fun read(context: Context): ManagedConfiguration? {
            val manager = context.getSystemService(Context.RESTRICTIONS_SERVICE) as? RestrictionsManager
            return manager?.applicationRestrictions?.let(::of)
        }

        fun of(restrictions: Bundle): ManagedConfiguration? {
            val server = restrictions.word(URL) ?: return null
            val token = restrictions.word(TOKEN) ?: return null
            val list = restrictions.getStringArray(ALLOWED_SERVERS)?.toList()
                ?: restrictions.word(ALLOWED_SERVERS)?.split(',', ' ', '\n')
            return ManagedConfiguration(server, token, list.orEmpty().mapNotNullTo(LinkedHashSet(), ::origin))
        }

        // getString of another type would log it; get of a wrong one answers null.
        private fun Bundle.word(name: String): String? =
            if (getStringArray(name) != null) null else getString(name)?.trim()?.ifEmpty { null }

        /** In the form that the native library gives origins; what is written otherwise allows nothing. */
        private fun origin(entry: String?): String? {
            val text = entry?.trim()?.lowercase()?.trimEnd('/').orEmpty()
            if (text.isEmpty()) return null
            return (if ("://" in text) text else "https://$text").removeSuffix(":443")
        }
    }
}
