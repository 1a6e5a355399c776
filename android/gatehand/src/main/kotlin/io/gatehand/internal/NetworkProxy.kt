package io.gatehand.internal

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.os.SystemClock
import io.gatehand.ConnectionException
import io.gatehand.ErrorCode
import java.net.InetSocketAddress
import java.net.Proxy
import java.net.ProxySelector
import java.net.URI
import java.net.URISyntaxException
import java.util.concurrent.atomic.AtomicBoolean
import org.json.JSONObject

/** The proxy that the network, or the app, has set on the way to a server. */
internal class NetworkProxy(private val context: Context) {
    private class Asked(val server: String, val selector: ProxySelector?, val at: Long)

    private val watching = AtomicBoolean()
    private val changed = object : BroadcastReceiver() {
        override fun onReceive(context: Context, intent: Intent): Unit = forget()
    }

    @Volatile
    private var asked: Asked? = null

    /** From now on Android tells when the network's proxy is another one. */
    fun watch() {
        if (watching.compareAndSet(false, true)) {
            context.registerReceiver(changed, IntentFilter(android.net.Proxy.PROXY_CHANGE_ACTION))
        }
    }

    /** What was found holds no more. */
    fun forget() {
        asked = null
    }

    fun close() {
        if (watching.compareAndSet(true, false)) context.unregisterReceiver(changed)
    }

    /** Whether what was found for [server] holds; costs next to nothing. */
    fun isKnown(server: String): Boolean {
        val last = asked ?: return false
        return last.server == server && last.selector === ProxySelector.getDefault() &&
            SystemClock.elapsedRealtime() - last.at < HOLDS_MILLIS
    }

    /**
     * The proxy to [server], as JSON for the native library; `null` for none. May ask a service of Android's.
     *
     * @throws ConnectionException There is one, of a kind that is not supported.
     */
    fun find(server: String): ByteArray? {
        val selector = ProxySelector.getDefault()
        val found = Asked(server, selector, SystemClock.elapsedRealtime())
        val proxies = address(server)?.let { selector?.select(it) }.orEmpty()
        val proxy = proxies.firstOrNull { it.type() != Proxy.Type.SOCKS }
        if (proxy == null && proxies.isNotEmpty()) throw unsupported()
        val address = proxy?.address() as? InetSocketAddress
        val json = address?.let { Codec.encode(JSONObject().put("host", it.hostString).put("port", it.port)) }
        asked = found
        return json
    }

    /** As a selector takes it. What is no address has none on the way, and is refused elsewhere. */
    private fun address(server: String): URI? =
        try {
            URI(if ("://" in server) server else "https://$server").takeIf { it.host != null }
        } catch (_: URISyntaxException) {
            null
        }

    private fun unsupported() = ConnectionException(
        ErrorCode.UNREACHABLE,
        "this network's proxy is of the kind SOCKS, which is not supported: set one for HTTP, or none",
    )

    private companion object {
        /** A change that nobody told of is found after this time. */
        const val HOLDS_MILLIS = 60_000L
    }
}
