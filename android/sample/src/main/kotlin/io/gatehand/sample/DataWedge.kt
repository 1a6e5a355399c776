package io.gatehand.sample

import android.annotation.TargetApi
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.content.pm.PackageManager
import android.os.Build
import android.os.Bundle
import android.os.Handler
import android.os.Looper
import android.util.Log
import io.gatehand.DisplayText
import java.util.UUID
import java.util.concurrent.TimeUnit

/**
 * The scan engine of Zebra's handhelds, through their DataWedge service: no camera, no library.
 *
 * DataWedge keeps a profile for each app. [setUp] makes ours, so that nobody has to set a scanner up
 * by hand: what the trigger reads comes as a broadcast, and is not typed into the screen as well. On
 * other devices all of this does nothing.
 *
 * @param onScan Gets what was read.
 * @param onFailure Gets DataWedge's word for why the profile could not be made, or `null` once it could.
 */
class DataWedge(
    private val context: Context,
    private val onScan: (String) -> Unit,
    private val onFailure: (String?) -> Unit,
) {
    private val action = "${context.packageName}.SCAN"
    private val profile = DataWedgeProfile(context.packageName, action)
    private val handler = Handler(Looper.getMainLooper())
    private val tooLong = Runnable { goOn(if (tellsResults()) NO_ANSWER else null) }
    private var listening = false
    private var toSend = emptyList<Bundle>()
    private var sent = ""

    private val receiver = object : BroadcastReceiver() {
        override fun onReceive(context: Context, intent: Intent) {
            if (intent.action == RESULT_ACTION) return hear(intent)
            val text = intent.getStringExtra(DATA) ?: return
            if (text.isNotEmpty()) onScan(text)
        }
    }

    /** Makes or updates the profile, as soon as a screen is shown. */
    fun setUp() {
        if (!isHere(context)) return
        toSend = profile.parts()
        if (listening) sendNext()
    }

    /**
     * Listens while a screen is shown. Any app can send this broadcast, so what comes is no more
     * trusted than a typed code: the person still confirms the server.
     */
    @TargetApi(Build.VERSION_CODES.TIRAMISU)
    fun start() {
        if (listening) return
        val filter = IntentFilter(action).apply {
            addAction(RESULT_ACTION)
            addCategory(Intent.CATEGORY_DEFAULT)
        }
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
            context.registerReceiver(receiver, filter, Context.RECEIVER_EXPORTED)
        } else {
            context.registerReceiver(receiver, filter)
        }
        listening = true
        sendNext()
    }

    /** Listens no more. A part of the profile whose answer is not there is sent again by the next [start]. */
    fun stop() {
        if (listening) context.unregisterReceiver(receiver)
        handler.removeCallbacks(tooLong)
        listening = false
    }

    /** One part after the other: each may need what the one before it made. */
    private fun sendNext() {
        handler.removeCallbacks(tooLong)
        val part = toSend.firstOrNull() ?: return
        sent = UUID.randomUUID().toString()
        context.sendBroadcast(
            Intent(API).setPackage(SERVICE)
                .putExtra(SET_CONFIG, part)
                .putExtra("SEND_RESULT", if (isOlderThan(7, 1)) "true" else "LAST_RESULT")
                .putExtra("COMMAND_IDENTIFIER", sent),
        )
        handler.postDelayed(tooLong, if (tellsResults()) ANSWER_MILLIS else PAUSE_MILLIS)
    }

    private fun hear(result: Intent) {
        // Others ask DataWedge too, and all hear the answers.
        if (result.getStringExtra("COMMAND_IDENTIFIER") != sent || toSend.isEmpty()) return
        val code = result.getBundleExtra("RESULT_INFO")?.getString("RESULT_CODE") ?: "FAILURE"
        goOn(code.takeUnless { result.getStringExtra("RESULT") == "SUCCESS" || it.startsWith(IS_THERE) })
    }

    private fun goOn(failure: String?) {
        toSend = if (failure == null) toSend.drop(1) else emptyList()
        if (failure != null) Log.w(TAG, DisplayText.of("DataWedge does not set up the profile ${context.packageName}: $failure"))
        if (toSend.isEmpty()) onFailure(failure)
        sendNext()
    }

    private fun tellsResults(): Boolean = !isOlderThan(6, 5)

    private fun isOlderThan(major: Int, minor: Int): Boolean {
        val name = context.packageManager.getPackageInfo(SERVICE, 0).versionName.orEmpty()
        val (itsMajor, itsMinor) = Regex("([0-9]+)\\.([0-9]+)").find(name)?.destructured ?: return false
        return itsMajor.toInt() < major || (itsMajor.toInt() == major && itsMinor.toInt() < minor)
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
        internal const val RESULT_ACTION = "com.symbol.datawedge.api.RESULT_ACTION"
        internal const val SET_CONFIG = "com.symbol.datawedge.api.SET_CONFIG"
        internal const val DATA = "com.symbol.datawedge.data_string"
        internal const val NO_ANSWER = "NO_ANSWER"

        private const val TAG = "gatehand"
        private const val IS_THERE = "PROFILE_ALREADY_EXIST"

        /** Far longer than an answer takes. */
        internal val ANSWER_MILLIS = TimeUnit.SECONDS.toMillis(10)

        /** Between the parts for a DataWedge that answers nothing. */
        internal const val PAUSE_MILLIS = 500L
    }
}
