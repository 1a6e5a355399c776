package io.gatehand.datawedge

import android.annotation.TargetApi
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.os.Build
import android.os.Bundle
import android.os.Handler
import android.os.Looper
import android.util.Log
import java.util.UUID
import java.util.concurrent.TimeUnit

/**
 * The scan engine of Zebra's handhelds, through their DataWedge service: no camera, no library.
 *
 * DataWedge keeps a profile for each app. [setUp] makes one of the app's name, so that nobody has to set
 * a scanner up by hand: what the trigger reads comes as a broadcast, and is not typed into the screen as
 * well. From DataWedge 8 on no other app gets that broadcast; before, any can. On other devices all of
 * this does nothing. To be called on the main thread.
 */
public class DataWedge(context: Context, private val listener: DataWedgeListener) {
    private val context = context.applicationContext ?: context
    private val handler = Handler(Looper.getMainLooper())
    private val tooLong = Runnable(::missed)
    private var step: Step = Step.Done
    private var listening = false

    /** Action of the broadcasts with what was read; their category is [Intent.CATEGORY_DEFAULT]. */
    public val scanAction: String = "${context.packageName}.SCAN"

    private val receiver = object : BroadcastReceiver() {
        override fun onReceive(context: Context, intent: Intent) {
            if (intent.action == DataWedgeService.RESULT_ACTION) return hear(intent)
            val text = intent.getStringExtra(DataWedgeService.DATA) ?: return
            if (text.isNotEmpty()) listener.onScan(text)
        }
    }

    /** What is waited for. */
    private sealed interface Step {
        data object Done : Step

        /** Which profiles there are. */
        data object Profiles : Step

        /** What became of the first of these [parts], which was sent as [id]. */
        class Part(val parts: List<Bundle>, val id: String) : Step
    }

    /** Makes the profile as soon as a screen is shown, unless it is there in this version. */
    public fun setUp() {
        step = Step.Profiles
        if (listening) go()
    }

    /** Listens while a screen is shown. */
    @TargetApi(Build.VERSION_CODES.TIRAMISU)
    public fun start() {
        if (listening) return
        val filter = IntentFilter(scanAction).apply {
            addAction(DataWedgeService.RESULT_ACTION)
            addCategory(Intent.CATEGORY_DEFAULT)
        }
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
            context.registerReceiver(receiver, filter, Context.RECEIVER_EXPORTED)
        } else {
            context.registerReceiver(receiver, filter)
        }
        listening = true
        go()
    }

    /** Listens no more. What was not answered is asked again by the next [start]. */
    public fun stop() {
        if (listening) context.unregisterReceiver(receiver)
        handler.removeCallbacks(tooLong)
        listening = false
    }

    /** Asks for what is waited for. */
    private fun go() {
        handler.removeCallbacks(tooLong)
        val service = DataWedgeService.of(context) ?: return
        when (val next = step) {
            is Step.Done -> return
            is Step.Profiles -> send(Intent().putExtra(DataWedgeService.GET_PROFILES_LIST, ""))
            is Step.Part -> send(
                Intent().putExtra(DataWedgeService.SET_CONFIG, next.parts.first())
                    .putExtra("SEND_RESULT", service.resultWanted)
                    .putExtra("COMMAND_IDENTIFIER", next.id),
            )
        }
        handler.postDelayed(tooLong, if (service.tellsResults) ANSWER_MILLIS else PAUSE_MILLIS)
    }

    private fun send(command: Intent) {
        context.sendBroadcast(command.setAction(DataWedgeService.API).setPackage(DataWedgeService.PACKAGE))
    }

    /** Others ask DataWedge too, and all hear the answers. */
    private fun hear(result: Intent) {
        val waiting = step
        if (waiting is Step.Profiles) {
            result.getStringArrayExtra(DataWedgeService.PROFILES_LIST)?.let { begin(context.packageName in it) }
        } else if (waiting is Step.Part && result.getStringExtra("COMMAND_IDENTIFIER") == waiting.id) {
            val code = word(result.getBundleExtra("RESULT_INFO"))
            when {
                result.getStringExtra("RESULT") == "SUCCESS" || code.startsWith(DataWedgeService.ALREADY_THERE) -> goOn(waiting)
                code.startsWith(DataWedgeService.OTHER_PROFILE) -> end(SetUpOutcome(SetUpOutcome.Kind.OTHER_PROFILE))
                else -> end(SetUpOutcome(SetUpOutcome.Kind.FAILED, code))
            }
        }
    }

    /** A word of another app's: what is none is not passed on. Several come as an array. */
    private fun word(info: Bundle?): String {
        val code = info?.getStringArray(CODE)?.firstOrNull() ?: info?.getString(CODE)
        return code?.takeIf { Regex("[A-Z0-9_]{1,80}").matches(it) } ?: "FAILURE"
    }

    private fun missed() {
        val service = DataWedgeService.of(context)
        when (val waiting = step) {
            is Step.Done -> return
            // It is made again then, which does no harm.
            is Step.Profiles -> begin(isThere = false)
            is Step.Part ->
                if (service != null && !service.tellsResults) goOn(waiting) else end(SetUpOutcome(SetUpOutcome.Kind.FAILED, SetUpOutcome.NO_ANSWER))
        }
    }

    private fun begin(isThere: Boolean) {
        val profile = profile()
        if (isThere && kept.getString(VERSION, null) == profile.version) return end(SetUpOutcome(SetUpOutcome.Kind.READY))
        kept.edit().remove(VERSION).apply()
        next(profile.parts(isThere))
    }

    private fun goOn(done: Step.Part) {
        val parts = done.parts.drop(1)
        if (parts.isNotEmpty()) return next(parts)
        kept.edit().putString(VERSION, profile().version).apply()
        end(SetUpOutcome(SetUpOutcome.Kind.READY))
    }

    /** One part after the other: each may need what the one before it made. */
    private fun next(parts: List<Bundle>) {
        step = Step.Part(parts, UUID.randomUUID().toString())
        go()
    }

    private fun end(outcome: SetUpOutcome) {
        handler.removeCallbacks(tooLong)
        step = Step.Done
        if (outcome.kind != SetUpOutcome.Kind.READY) Log.w(TAG, "DataWedge's profile ${context.packageName}: $outcome")
        listener.onSetUp(outcome)
    }

    private fun profile(): DataWedgeProfile {
        val keepsSecrets = DataWedgeService.of(context)?.isSecret == true
        return DataWedgeProfile(context.packageName, scanAction, if (keepsSecrets) Certificates.of(context) else emptyList())
    }

    private val kept get() = context.getSharedPreferences(PREFERENCES, Context.MODE_PRIVATE)

    /** Whether there is anything to use. */
    public companion object {
        /** Whether this device has DataWedge. */
        @JvmStatic
        public fun isHere(context: Context): Boolean = DataWedgeService.of(context) != null

        private const val TAG = "gatehand"
        private const val CODE = "RESULT_CODE"
        private const val PREFERENCES = "io.gatehand.datawedge"
        private const val VERSION = "profile"

        /** Far longer than an answer takes. */
        internal val ANSWER_MILLIS = TimeUnit.SECONDS.toMillis(10)

        /** Between the steps for a DataWedge that answers nothing. */
        internal const val PAUSE_MILLIS = 500L
    }
}
