package io.gatehand.sample

import android.app.job.JobInfo
import java.net.InetAddress
import java.net.ServerSocket
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** What the app does while nobody looks. */
@Config(application = RestartingApp::class)
class HeartbeatTest : ServerTest() {
    @Test
    fun a_job_comes_every_hour_with_a_network_and_after_the_device_was_off() {
        val job = gate.jobs().values.single()
        assertEquals(TimeUnit.HOURS.toMillis(1), job.intervalMillis)
        assertTrue(job.isPersisted)
        @Suppress("DEPRECATION") // What replaces it needs Android 9.
        assertEquals(JobInfo.NETWORK_TYPE_ANY, job.networkType)
        assertEquals(JobInfo.BACKOFF_POLICY_LINEAR, job.backoffPolicy)
    }

    @Test
    fun a_job_that_is_waiting_is_not_made_to_wait_anew() {
        val before = gate.jobs().values.single()
        HeartbeatJob.everyHour(gate.app)
        assertTrue(before === gate.jobs().values.single())
    }

    @Test
    fun a_job_without_a_screen_reports_and_the_screen_that_comes_has_the_same_agent() {
        enrolledGate()
        gate.leave()
        (gate.app as RestartingApp).end()
        assertFalse(gate.runJob())
        gate.open()
        gate.sees(R.string.enrolled_title)
        gate.await("the end of the work") { gate.app.model.screen.value.busy == null }
        assertFalse(gate.shows(R.string.error_vault_in_use))
    }

    @Test
    fun a_job_and_a_screen_that_come_at_once_open_one_agent() {
        val job = gate.startJob()
        gate.open()
        gate.sees(R.string.scan_the_code)
        gate.await("the end of the job") { shadowOf(job).isJobFinished }
        assertFalse(gate.shows(R.string.unusable_title))
    }

    @Test
    fun a_revocation_that_the_job_hears_of_is_on_the_screen_and_the_job_still_comes_every_hour() {
        val device = enrolledGate()
        server.revoke(device.id)
        assertFalse(gate.runJob())
        gate.sees(R.string.revoked_title)
        assertEquals(setOf(HeartbeatJob.EVERY_HOUR), gate.jobs().keys)
    }

    @Test
    fun a_job_whose_server_is_away_comes_again() {
        enrolledGate()
        server.stop()
        assertTrue(gate.runJob())
        server.restart()
        assertFalse(gate.runJob())
    }

    @Test
    @Config(application = SampleApp::class)
    fun a_job_that_android_stops_ends_and_comes_again() {
        enrolledGate()
        server.stop()
        val port = server.address.substringAfterLast(':').toInt()
        ServerSocket(port, 1, InetAddress.getLoopbackAddress()).use { silent ->
            val job = gate.startJob()
            val call = CompletableFuture.supplyAsync(silent::accept)
            gate.await("the call") { call.isDone }
            call.get().use {
                assertTrue(job.onStopJob(Gate.JOB))
                gate.idle()
                // The call is given up long before its time is over.
                it.soTimeout = TimeUnit.SECONDS.toMillis(15).toInt()
                it.getInputStream().readBytes()
                gate.idle()
                assertFalse(shadowOf(job).isJobFinished)
            }
        }
    }
}
