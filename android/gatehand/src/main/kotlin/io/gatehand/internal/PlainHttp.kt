package io.gatehand.internal

import android.annotation.TargetApi
import android.os.Build
import android.security.NetworkSecurityPolicy
import java.net.URI
import java.net.URISyntaxException

/** What the app's network security configuration says of servers without encryption. */
internal object PlainHttp {
    /** Why [server] may not be called, if it is one without encryption on another machine; else `null`. */
    fun refusal(server: String): String? {
        val host = host(server) ?: return null
        return if (isPermitted(host)) null else {
            "the app's network security configuration does not permit connections without encryption to $host: " +
                "permit them there (cleartextTrafficPermitted) besides allowHttp, or use https://"
        }
    }

    private fun host(server: String): String? {
        val uri = try {
            URI(server)
        } catch (_: URISyntaxException) {
            // Refused as an address.
            return null
        }
        val host = uri.host?.trim('[', ']')
        return host.takeIf { "http".equals(uri.scheme, ignoreCase = true) && host != null && !isThisDevice(host) }
    }

    private fun isThisDevice(host: String) = host == "localhost" || host == "::1" || host.startsWith("127.")

    @TargetApi(Build.VERSION_CODES.N)
    private fun isPermitted(host: String): Boolean = when {
        Build.VERSION.SDK_INT >= Build.VERSION_CODES.N -> NetworkSecurityPolicy.getInstance().isCleartextTrafficPermitted(host)
        Build.VERSION.SDK_INT >= Build.VERSION_CODES.M -> NetworkSecurityPolicy.getInstance().isCleartextTrafficPermitted
        else -> true
    }
}
