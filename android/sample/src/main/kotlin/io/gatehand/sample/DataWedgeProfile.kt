package io.gatehand.sample

import android.content.Intent
import android.os.Bundle

/**
 * What DataWedge has to know of an app.
 *
 * @param app The app's package, which is the profile's name too.
 * @param action The broadcast that brings what was read.
 */
class DataWedgeProfile(private val app: String, private val action: String) {
    /**
     * The profile in the order in which it is sent. Each plug-in is a part of its own, as DataWedge
     * before 6.6, which the first TC25 came with, takes one at a time.
     */
    fun parts(): List<Bundle> = listOf(
        part(
            "CREATE_IF_NOT_EXIST",
            "BARCODE",
            "scanner_selection" to "auto",
            "scanner_input_enabled" to "true",
            "decoder_qrcode" to "true",
        ).apply {
            val all = Bundle().apply {
                putString("PACKAGE_NAME", app)
                putStringArray("ACTIVITY_LIST", arrayOf("*"))
            }
            putParcelableArray("APP_LIST", arrayOf(all))
        },
        part(
            "UPDATE",
            "INTENT",
            "intent_output_enabled" to "true",
            "intent_action" to action,
            "intent_category" to Intent.CATEGORY_DEFAULT,
            "intent_delivery" to BROADCAST,
        ),
        part("UPDATE", "KEYSTROKE", "keystroke_output_enabled" to "false"),
    )

    private fun part(mode: String, plugin: String, vararg parameters: Pair<String, String>) = Bundle().apply {
        putString("PROFILE_NAME", app)
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
    }

    private companion object {
        /** DataWedge's number for this way of delivery. */
        const val BROADCAST = "2"
    }
}
