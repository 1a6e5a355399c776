package io.gatehand.internal.facts

import android.annotation.TargetApi
import android.os.Build
import org.json.JSONObject

/** What this device is, as Android tells it to apps. */
internal object DeviceFacts {
    /** The server refuses longer texts. */
    private const val LIMIT = 190

    /** The fields of a report but its `info`. */
    fun read(): JSONObject = JSONObject()
        .put("hardware_brand", fit(Build.BRAND) ?: Build.UNKNOWN)
        .put("hardware_model", fit(Build.MODEL) ?: Build.UNKNOWN)
        .put("os_name", baseOs()?.let(::fit) ?: "Android")
        .putOpt("os_version", fit(Build.VERSION.RELEASE))

    @TargetApi(Build.VERSION_CODES.M)
    private fun baseOs(): String? =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.M) Build.VERSION.BASE_OS else null

    private fun fit(text: String?): String? {
        val trimmed = text?.trim().orEmpty()
        val cut = trimmed.take(LIMIT)
        // Never half of a surrogate pair.
        return (if (cut.lastOrNull()?.isHighSurrogate() == true) cut.dropLast(1) else cut).ifEmpty { null }
    }
}
