package io.gatehand.sample

import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.content.Context
import android.content.Intent
import android.net.Uri
import android.os.Build
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.TextView
import java.util.concurrent.TimeUnit
import kotlin.test.assertTrue
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.shadow.api.Shadow

/** A person at the gate: reads the screen, presses, scans, types and turns the device. */
class Gate {
    val app: SampleApp = RuntimeEnvironment.getApplication() as SampleApp
    private var opened: ActivityController<GateActivity>? = null
    private val controller get() = checkNotNull(opened) { "the app is not open" }
    val activity: GateActivity get() = controller.get()

    /** Starts the app, by its icon or with a link. */
    fun open(link: String? = null): Gate = apply {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) Backs.asTheManifestSays(app)
        opened = Robolectric.buildActivity(GateActivity::class.java, link?.let(::linkIntent)).setup()
    }

    fun openLink(link: String) {
        controller.newIntent(linkIntent(link))
    }

    /** What the scan engine sends for a code. */
    fun scan(text: String) {
        val intent = Intent("${app.packageName}.SCAN").addCategory(Intent.CATEGORY_DEFAULT)
        app.sendBroadcast(intent.putExtra("com.symbol.datawedge.data_string", text))
        idle()
    }

    fun type(field: Int, text: String) {
        await("a field to type into") { field(field).isShown }
        field(field).setText(text)
    }

    /** What is in a field. */
    fun typed(field: Int): String = field(field).text.toString()

    private fun field(field: Int): EditText = checkNotNull(activity.findViewById(field))

    /** Presses the button of this label, as soon as it is there and can be pressed. */
    fun press(label: Int) {
        val text = app.getString(label)
        await("a button \"$text\"") { button(text) != null }
        checkNotNull(button(text)).performClick()
        idle()
    }

    /** Presses a button of the maintenance, which it opens first where a gate is served. */
    fun maintain(label: Int) {
        await("the way to the maintenance") { button(app.getString(label)) != null || button(app.getString(R.string.maintain)) != null }
        if (button(app.getString(label)) == null) press(R.string.maintain)
        press(label)
    }

    /** Waits until the screen shows a text. */
    fun sees(resource: Int, vararg arguments: Any): Unit = sees(app.getString(resource, *arguments))

    fun sees(text: String) {
        await("the text \"$text\"") { text in texts() }
    }

    /** Waits until the screen shows a text that holds [part]. */
    fun seesPart(part: String) {
        await("the text \"…$part…\"") { texts().any { part in it } }
    }

    fun shows(resource: Int): Boolean = app.getString(resource) in texts()

    fun rotate() {
        val land = if (activity.resources.configuration.orientation == LANDSCAPE) "+port" else "+land"
        RuntimeEnvironment.setQualifiers(land)
        val before = activity
        // Its new window is not shown by itself.
        controller.configurationChange(app.resources.configuration).visible()
        idle()
        assertTrue(activity !== before, "the activity is still the same one")
    }

    fun back() {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
            Backs.first(activity).onBackInvoked()
        } else {
            @Suppress("DEPRECATION")
            activity.onBackPressed()
        }
        idle()
    }

    /** Whether Android itself is asked for the way back, which leads out of the app, and not the app. */
    fun backLeaves(): Boolean {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) return Backs.isAndroids(Backs.first(activity))
        back()
        return activity.isFinishing
    }

    fun leave() {
        controller.pause().stop().destroy()
    }

    /** Ends the process and starts another one, for a [RestartingApp]. */
    fun restart(between: () -> Unit = {}) {
        leave()
        (app as RestartingApp).end()
        between()
        open()
    }

    /** Has Android run the app's job; returns whether it is to come again. */
    fun runJob(): Boolean {
        val job = startJob()
        await("the end of the job") { shadowOf(job).isJobFinished }
        return shadowOf(job).isRescheduleNeeded
    }

    fun startJob(): HeartbeatJob {
        val job = Robolectric.buildService(HeartbeatJob::class.java).create().get()
        assertTrue(job.onStartJob(JOB))
        return job
    }

    /** The jobs that Android has to run, by their number. */
    fun jobs(): Map<Int, JobInfo> {
        val scheduler = app.getSystemService(Context.JOB_SCHEDULER_SERVICE) as JobScheduler
        return scheduler.allPendingJobs.associateBy { it.id }
    }

    fun await(what: String, condition: () -> Boolean) {
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS)
        while (true) {
            idle()
            if (condition()) return
            check(System.nanoTime() < end) { "no sight of $what, but ${texts()}" }
            Thread.sleep(PAUSE_MILLIS)
        }
    }

    /** Lets the main thread do what it has to do. */
    fun idle(): Unit = shadowOf(Looper.getMainLooper()).idle()

    /** All that is to be read, from top to bottom. */
    fun texts(): List<String> = views().filterIsInstance<TextView>().map { Breaks.without(it.text.toString()) }

    fun views(): List<View> = opened?.let { views(it.get().window.decorView).toList() }.orEmpty()

    private fun button(text: String): View? =
        views().firstOrNull { it is android.widget.Button && it.text.toString() == text && it.isEnabled }

    private fun views(view: View): Sequence<View> = sequence {
        if (view.visibility != View.VISIBLE) return@sequence
        yield(view)
        if (view is ViewGroup) (0 until view.childCount).forEach { yieldAll(views(view.getChildAt(it))) }
    }

    private fun linkIntent(link: String) = Intent(Intent.ACTION_VIEW, Uri.parse(link)).addCategory(Intent.CATEGORY_BROWSABLE)

    companion object {
        /** What Android says of a job. */
        val JOB: JobParameters by lazy { Shadow.newInstanceOf(JobParameters::class.java) }

        private const val LANDSCAPE = android.content.res.Configuration.ORIENTATION_LANDSCAPE

        // Far more than anything takes; only a failure waits so long.
        private const val LIMIT_SECONDS = 60L
        private const val PAUSE_MILLIS = 5L
    }
}
