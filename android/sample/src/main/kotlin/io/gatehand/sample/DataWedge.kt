package io.gatehand.sample

import android.annotation.TargetApi
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.content.pm.PackageManager
import android.os.Build
import android.os.Bundle

/**
 * The scan engine of Zebra's handhelds, through their DataWedge service: no camera, no library.
 *
 * DataWedge keeps a profile for each app. [setUp] makes ours, so that nobody has to set a scanner up
 * by hand: what the trigger reads comes as a broadcast, and is not typed into the screen as well. On
 * other devices all of this does nothing.
 *
 * @param onScan Gets what was read.
 */
class DataWedge(private val context: Context, private val onScan: (String) -> Unit) {
    private val action = "${context.packageName}.SCAN"
    private var listening = false

    private val receiver = object : BroadcastReceiver() {
        override fun onReceive(context: Context, intent: Intent) {
            val text = intent.getStringExtra(DATA) ?: return
            if (text.isNotEmpty()) onScan(text)
        }
    }

    /**
     * Makes or updates the profile. Each plug-in has an intent of its own, as DataWedge before 6.5,
     * which the first TC25 came with, takes one at a time.
     */
    fun setUp() {
        send(
            profile(
                "CREATE_IF_NOT_EXIST",
                "BARCODE",
                "scanner_selection" to "auto",
                "scanner_input_enabled" to "true",
                "decoder_qrcode" to "true",
            ) {
                val app = Bundle().apply {
                    putString("PACKAGE_NAME", context.packageName)
                    putStringArray("ACTIVITY_LIST", arrayOf("*"))
                }
                putParcelableArray("APP_LIST", arrayOf(app))
            },
        )
        send(
            profile(
                "UPDATE",
                "INTENT",
                "intent_output_enabled" to "true",
                "intent_action" to action,
                "intent_category" to Intent.CATEGORY_DEFAULT,
                "intent_delivery" to BROADCAST,
            ),
        )
        send(profile("UPDATE", "KEYSTROKE", "keystroke_output_enabled" to "false"))
    }

    /**
     * Listens while a screen is shown. Any app can send this broadcast, so what comes is no more
     * trusted than a typed code: the person still confirms the server.
     */
    @TargetApi(Build.VERSION_CODES.TIRAMISU)
    fun start() {
        if (listening) return
        val filter = IntentFilter(action).apply { addCategory(Intent.CATEGORY_DEFAULT) }
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
            context.registerReceiver(receiver, filter, Context.RECEIVER_EXPORTED)
        } else {
            context.registerReceiver(receiver, filter)
        }
        listening = true
    }

    /** Listens no more. */
    fun stop() {
        if (listening) context.unregisterReceiver(receiver)
        listening = false
    }

    private fun profile(
        mode: String,
        plugin: String,
        vararg parameters: Pair<String, String>,
        more: Bundle.() -> Unit = {},
    ): Bundle = Bundle().apply {
        putString("PROFILE_NAME", context.packageName)
        putString("PROFILE_ENABLED", "true")
        putString("CONFIG_MODE", mode)
        putBundle(
            "PLUGIN_CONFIG",
            Bundle().apply {
                putString("PLUGIN_NAME", plugin)
                putString("RESET_CONFIG", "true")
                putBundle("PARAM_LIST", Bundle().apply { parameters.forEach { (name, value) -> putString(name, value) } })
            },
        )
        more()
    }

    private fun send(profile: Bundle) {
        context.sendBroadcast(Intent(API).setPackage(SERVICE).putExtra(SET_CONFIG, profile))
    }

    companion object {
        /** Whether this device has DataWedge. */
        fun isHere(context: Context): Boolean =
            try {
                context.packageManager.getPackageInfo(SERVICE, 0)
                true
            } catch (_: PackageManager.NameNotFoundException) {
                false
            }

        internal const val SERVICE = "com.symbol.datawedge"
        internal const val API = "com.symbol.datawedge.api.ACTION"
        internal const val SET_CONFIG = "com.symbol.datawedge.api.SET_CONFIG"
        internal const val DATA = "com.symbol.datawedge.data_string"

        /** DataWedge's number for this way of delivery. */
        private const val BROADCAST = "2"
    }
}
