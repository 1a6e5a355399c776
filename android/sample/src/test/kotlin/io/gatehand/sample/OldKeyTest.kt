package io.gatehand.sample

import android.content.Context
import io.gatehand.testing.OldApp
import java.net.HttpURLConnection
import java.net.URI
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import org.robolectric.annotation.Config

/** A device that this app set up before it used gatehand. */
@Config(application = RestartingApp::class)
class OldKeyTest : ServerTest() {
    private val preferences get() = gate.app.getSharedPreferences(OldKey.FILE, Context.MODE_PRIVATE)

    private fun keep(key: String, serial: String): Boolean = preferences.edit()
        .putString(OldKey.SERVER, server.address)
        .putString(OldKey.KEY, key)
        .putString(OldKey.SERIAL, serial)
        .commit()

    private fun oldDevice(): OldApp =
        server.enrolWithout(server.createDevice("Lane 8")).also { assertTrue(keep(it.key, it.uniqueSerial)) }

    private fun statusFor(key: String): Int {
        val call = URI("${server.address}/api/v1/device/info").toURL().openConnection() as HttpURLConnection
        call.setRequestProperty("Authorization", "Device $key")
        return call.responseCode
    }

    private fun isKept() = OldKey(gate.app).isThere()

    @Test
    fun it_stays_the_same_device_and_the_key_in_the_preferences_dies() {
        val old = oldDevice()
        assertEquals(200, statusFor(old.key))
        gate.open()
        gate.sees(R.string.enrolled_title)
        gate.sees("Lane 8")
        gate.sees(old.uniqueSerial)
        gate.await("the end of the work") { gate.app.model.screen.value.busy == null }
        assertFalse(isKept())
        assertEquals(401, statusFor(old.key))
        assertEquals(1, server.devices().size)
    }

    @Test
    fun a_key_whose_server_is_away_is_kept_and_tried_again() {
        oldDevice()
        server.stop()
        gate.open()
        gate.sees(R.string.old_key_waits)
        assertTrue(isKept())
        server.restart()
        gate.press(R.string.try_again)
        gate.sees(R.string.enrolled_title)
        gate.sees("Lane 8")
    }

    @Test
    fun a_copy_that_was_left_when_the_process_ended_is_deleted() {
        val device = enrolledGate()
        gate.restart { keep("A".repeat(64), "ABCDEFGHIJKLMNOP") }
        gate.sees(R.string.enrolled_title)
        gate.await("the end of the work") { gate.app.model.screen.value.busy == null }
        assertFalse(isKept())
        assertFalse(server.device(device.id).getBoolean("revoked"))
    }

    @Test
    fun a_key_that_the_server_does_not_know_does_not_keep_the_device_from_a_new_code() {
        val old = oldDevice()
        keep(old.key.reversed(), old.uniqueSerial)
        gate.open()
        gate.sees(R.string.rejected_words)
        gate.scan(server.createDevice("Lane 9").code)
        gate.press(R.string.confirm_yes)
        gate.sees("Lane 9")
        gate.restart()
        gate.sees("Lane 9")
        gate.await("the end of the work") { gate.app.model.screen.value.busy == null }
        assertFalse(isKept())
    }
}
