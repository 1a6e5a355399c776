package io.gatehand.sample

import java.net.InetAddress
import java.net.ServerSocket
import kotlin.test.Test
import kotlin.test.assertTrue
import org.robolectric.annotation.Config

/** The server, the network or the Keystore is not there when it is needed. */
@Config(application = RestartingApp::class)
class OfflineTest : ServerTest() {
    /** Lets the device's next try go to somebody who says nothing, until [expected] is on the screen. */
    private fun unanswered(expected: Int, press: () -> Unit) {
        server.stop()
        val port = server.address.substringAfterLast(':').toInt()
        ServerSocket(port, MANY, InetAddress.getLoopbackAddress()).use {
            press()
            gate.sees(expected)
        }
    }

    private fun enrolUnanswered() = server.createDevice().also { device ->
        gate.open()
        gate.sees(R.string.scan_the_code)
        gate.scan(device.code)
        gate.sees(R.string.confirm_title)
        unanswered(R.string.error_timed_out) { gate.press(R.string.confirm_yes) }
    }

    @Test
    fun a_code_whose_server_is_away_can_be_tried_again_without_a_second_scan() {
        val device = server.createDevice()
        gate.open()
        gate.sees(R.string.scan_the_code)
        gate.scan(device.code)
        gate.sees(R.string.confirm_title)
        server.stop()
        gate.press(R.string.confirm_yes)
        gate.sees(R.string.error_unreachable)
        server.restart()
        gate.press(R.string.confirm_yes)
        gate.sees(R.string.enrolled_title)
        assertTrue(isInitialized(device))
    }

    @Test
    fun a_call_whose_server_is_away_is_said_in_a_sentence() {
        enrolledGate()
        server.stop()
        gate.maintain(R.string.call)
        gate.sees(R.string.error_unreachable)
        gate.sees("Lane 2")
        server.restart()
        gate.maintain(R.string.call)
        gate.seesPart("The server knows this device as “Lane 2”.")
    }

    @Test
    fun a_setup_without_answer_goes_on_by_hand() {
        val device = enrolUnanswered()
        gate.sees(R.string.enrolling_title)
        gate.sees(R.string.enrolling_words)
        server.restart()
        gate.press(R.string.go_on)
        gate.sees(R.string.enrolled_title)
        assertTrue(isInitialized(device))
    }

    @Test
    fun a_setup_without_answer_goes_on_when_the_app_starts_again() {
        val device = enrolUnanswered()
        gate.restart { server.restart() }
        gate.sees(R.string.enrolled_title)
        assertTrue(isInitialized(device))
    }

    @Test
    fun another_code_gives_a_setup_without_answer_up_only_after_a_second_yes() {
        enrolUnanswered()
        gate.sees(R.string.enrolling_title)
        server.restart()
        val other = server.createDevice("Lane 3")
        gate.scan(other.code)
        gate.press(R.string.confirm_yes)
        gate.sees(R.string.gives_up_enrolling, server.address)
        assertNothingWasSentFor(other)
        gate.press(R.string.confirm_replace)
        gate.sees("Lane 3")
        gate.sees(R.string.enrolled_title)
    }

    @Test
    fun a_revocation_is_heard_of_when_the_app_starts() {
        val device = enrolledGate()
        gate.restart { server.revoke(device.id) }
        gate.sees(R.string.revoked_title)
    }

    @Test
    fun a_keystore_that_is_busy_is_tried_again() {
        enrolledGate()
        gate.restart { keystore.busy = Int.MAX_VALUE }
        gate.sees(R.string.vault_locked_title)
        gate.press(R.string.try_again)
        // That nothing has changed is said too.
        val words = gate.app.getString(R.string.vault_locked_words)
        gate.await("the same again, as a notice") { gate.texts().count { it == words } == 2 }
        keystore.busy = 0
        gate.press(R.string.try_again)
        gate.sees(R.string.enrolled_title)
        gate.sees("Lane 2")
    }

    @Test
    fun a_keystore_that_has_lost_the_key_makes_the_device_enrol_again() {
        enrolledGate()
        gate.restart { keystore.loseKeys() }
        gate.sees(R.string.enrol_again_title)
        val next = server.createDevice("Lane 3")
        gate.scan(next.code)
        gate.press(R.string.confirm_yes)
        gate.sees(R.string.enrolled_title)
        gate.sees("Lane 3")
        assertTrue(isInitialized(next))
    }

    private companion object {
        const val MANY = 50
    }
}
