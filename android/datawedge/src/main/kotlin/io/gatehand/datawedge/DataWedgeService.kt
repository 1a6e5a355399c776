package io.gatehand.datawedge

import android.content.Context
import android.content.pm.PackageManager

/** Zebra's service, as it is installed, and its words. */
internal class DataWedgeService private constructor(private val version: String) {
    /** Before, it keeps its answers to itself. */
    val tellsResults: Boolean get() = isAtLeast(6, 5)

    /** How it is asked for an answer. */
    val resultWanted: String get() = if (isAtLeast(7, 1)) "LAST_RESULT" else "true"

    /** Whether it sends what was read to nobody but the apps that a profile names. */
    val isSecret: Boolean get() = isAtLeast(8, 0)

    // A version that can't be read is taken for a new one.
    private fun isAtLeast(major: Int, minor: Int): Boolean {
        val (itsMajor, itsMinor) = Regex("([0-9]{1,4})\\.([0-9]{1,4})").find(version)?.destructured ?: return true
        return compareValuesBy(itsMajor.toInt() to itsMinor.toInt(), major to minor, { it.first }, { it.second }) >= 0
    }

    companion object {
        const val PACKAGE = "com.symbol.datawedge"
        const val API = "com.symbol.datawedge.api.ACTION"
        const val RESULT_ACTION = "com.symbol.datawedge.api.RESULT_ACTION"
        const val SET_CONFIG = "com.symbol.datawedge.api.SET_CONFIG"
        const val GET_PROFILES_LIST = "com.symbol.datawedge.api.GET_PROFILES_LIST"
        const val PROFILES_LIST = "com.symbol.datawedge.api.RESULT_GET_PROFILES_LIST"
        const val DATA = "com.symbol.datawedge.data_string"
        const val ALREADY_THERE = "PROFILE_ALREADY_EXIST"
        const val OTHER_PROFILE = "APP_ALREADY_ASSOCIATED"

        /** The service, if this device has it. */
        fun of(context: Context): DataWedgeService? =
            try {
                DataWedgeService(context.packageManager.getPackageInfo(PACKAGE, 0).versionName.orEmpty())
            } catch (_: PackageManager.NameNotFoundException) {
                null
            }
    }
}
