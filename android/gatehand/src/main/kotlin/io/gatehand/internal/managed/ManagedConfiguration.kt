package io.gatehand.internal.managed

import android.content.Context
import android.content.RestrictionsManager
import android.os.Bundle
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.ManagedKeys

/**
 * What a device's management has set for the app: its app restrictions.
 *
 * `url` and `token`, or whatever the app calls them, are what to enrol with. `allowed_servers` names the servers that this may be,
 * in a list or in one text with commas: origins as `https://pretix.eu`, where `https://` may be left
 * out. Without it nothing is redeemed.
 */
internal class ManagedConfiguration(
    val server: String,
    val token: String,
    val allowed: List<String>,
) {
    override fun toString(): String = "ManagedConfiguration($server, allowed=$allowed)"

    companion object {
        /**
         * The configuration; `null` if the app is not managed, or no enrolment is set.
         *
         * @throws GatehandException Android does not tell it now, as when the system is about to end.
         */
        fun read(context: Context, keys: ManagedKeys): ManagedConfiguration? =
            try {
                val manager = context.getSystemService(Context.RESTRICTIONS_SERVICE) as? RestrictionsManager
                manager?.applicationRestrictions?.let { of(it, keys) }
            } catch (failed: RuntimeException) {
                val message = "Android did not tell the app's managed configuration: try again later"
                throw GatehandException(ErrorCode.ANDROID_FAILED, message, failed)
            }

        fun of(restrictions: Bundle, keys: ManagedKeys): ManagedConfiguration? {
            val server = restrictions.word(keys.url) ?: return null
            val token = restrictions.word(keys.token) ?: return null
            val list = restrictions.getStringArray(keys.allowedServers)?.toList()
                ?: restrictions.word(keys.allowedServers)?.split(',', ' ', '\n')
            val allowed = list.orEmpty().mapNotNull { it?.trim()?.ifEmpty { null } }
            return ManagedConfiguration(server, token, allowed)
        }

        // getString of another type would log it; get of a wrong one answers null.
        private fun Bundle.word(name: String): String? =
            if (getStringArray(name) != null) null else getString(name)?.trim()?.ifEmpty { null }
    }
}
