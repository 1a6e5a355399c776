package io.gatehand.datawedge

import android.content.Intent
import android.os.Bundle

/**
 * What DataWedge has to know of an app.
 *
 * @param app The app's package, which is the profile's name too.
 * @param action The broadcast that brings what was read.
 * @param receivers SHA-1 of each certificate that the app is signed with, if DataWedge can keep what was
 *   read from other apps.
 */
internal class DataWedgeProfile(private val app: String, private val action: String, private val receivers: List<String>) {
    private val plugins = listOf(
        "BARCODE" to mapOf("scanner_selection" to "auto", "scanner_input_enabled" to "true", "decoder_qrcode" to "true"),
        "INTENT" to mapOf(
            "intent_output_enabled" to "true",
            "intent_action" to action,
            "intent_category" to Intent.CATEGORY_DEFAULT,
            "intent_delivery" to BROADCAST,
        ),
        "KEYSTROKE" to mapOf("keystroke_output_enabled" to "false"),
    )

    /** Says all that the profile holds: another one, another version. */
    val version: String = "$plugins $receivers"

    /**
     * The profile in the order in which it is sent. Each plug-in is a part of its own, as DataWedge
     * before 6.6, which the first TC25 came with, takes one at a time.
     *
     * @param isThere Whether DataWedge has it already: it is changed then, and not left as it is.
     */
    fun parts(isThere: Boolean): List<Bundle> = plugins.mapIndexed { index, (name, parameters) ->
        Bundle().apply {
            putString("PROFILE_NAME", app)
            putString("PROFILE_ENABLED", "true")
            putString("CONFIG_MODE", if (index == 0 && !isThere) "CREATE_IF_NOT_EXIST" else "UPDATE")
            if (index == 0) putParcelableArray("APP_LIST", arrayOf(association()))
            putBundle("PLUGIN_CONFIG", plugin(name, parameters))
        }
    }

    private fun association() = Bundle().apply {
        putString("PACKAGE_NAME", app)
        putStringArray("ACTIVITY_LIST", arrayOf("*"))
    }

    private fun plugin(name: String, parameters: Map<String, String>) = Bundle().apply {
        putString("PLUGIN_NAME", name)
        // What an older version of the app set has to go. This is sent once with each version.
        putString("RESET_CONFIG", "true")
        putBundle(
            "PARAM_LIST",
            Bundle().apply {
                parameters.forEach { (key, value) -> putString(key, value) }
                if (name == "INTENT" && receivers.isNotEmpty()) putParcelableArrayList("intent_component_info", components())
            },
        )
    }

    private fun components() = receivers.mapTo(ArrayList()) { sha1 ->
        Bundle().apply {
            putString("PACKAGE_NAME", app)
            putString("SIGNATURE", sha1)
        }
    }

    private companion object {
        /** DataWedge's number for this way of delivery. */
        const val BROADCAST = "2"
    }
}
