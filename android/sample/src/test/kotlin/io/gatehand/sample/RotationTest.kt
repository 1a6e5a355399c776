package io.gatehand.sample

import io.gatehand.ScannerAgent
import java.net.InetAddress
import java.net.ServerSocket
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** Counts how often the agent is opened. */
class CountingApp : SampleApp() {
    @Volatile
    var opened = 0

    override fun openAgent(): ScannerAgent {
        opened++
        return super.openAgent()
    }
}

@Config(application = CountingApp::class)
class RotationTest : ServerTest() {
    private fun assertOpenedOnce() {
        assertEquals(1, (gate.app as CountingApp).opened)
        assertFalse(gate.shows(R.string.error_vault_in_use))
    }

    @Test
    fun a_question_stays_open_and_its_answer_counts() {
        val device = server.createDevice()
        gate.open()
        gate.sees(R.string.scan_the_code)
        gate.scan(device.code)
        gate.sees(R.string.confirm_title)
        gate.rotate()
        gate.sees(R.string.confirm_title)
        gate.sees(server.address)
        assertNothingWasSentFor(device)
        gate.press(R.string.confirm_yes)
        gate.sees(R.string.enrolled_title)
        assertTrue(isInitialized(device))
        assertOpenedOnce()
    }

    @Test
    fun who_the_device_is_stays_on_the_screen() {
        enrolledGate()
        gate.rotate()
        // At once, before anything could be asked again.
        assertTrue(gate.shows(R.string.enrolled_title) && "Lane 2" in gate.texts(), "${gate.texts()}")
        gate.rotate()
        gate.maintain(R.string.call)
        gate.seesPart("The server knows this device as “Lane 2”.")
        assertOpenedOnce()
    }

    @Test
    fun a_call_that_is_under_way_goes_on() {
        enrolledGate()
        server.stop()
        val port = server.address.substringAfterLast(':').toInt()
        ServerSocket(port, 1, InetAddress.getLoopbackAddress()).use { silent ->
            gate.maintain(R.string.call)
            silent.accept().use {
                gate.sees(R.string.busy_asking)
                gate.rotate()
                assertTrue(gate.shows(R.string.busy_asking), "${gate.texts()}")
            }
        }
        server.restart()
        gate.seesPart("The server knows this device as “Lane 2”.")
        assertOpenedOnce()
    }

    @Test
    fun an_enrolment_that_is_under_way_goes_on() {
        val device = server.createDevice()
        gate.open()
        gate.sees(R.string.scan_the_code)
        gate.scan(device.code)
        gate.sees(R.string.confirm_title)
        server.stop()
        val port = server.address.substringAfterLast(':').toInt()
        ServerSocket(port, 1, InetAddress.getLoopbackAddress()).use { silent ->
            gate.press(R.string.confirm_yes)
            silent.accept().use {
                gate.sees(R.string.busy_enrolling)
                gate.rotate()
                assertTrue(gate.shows(R.string.busy_enrolling), "${gate.texts()}")
            }
        }
        server.restart()
        gate.sees(R.string.enrolled_title)
        assertTrue(isInitialized(device))
        assertOpenedOnce()
    }

    @Test
    fun what_was_typed_stays() {
        gate.open()
        gate.press(R.string.type_instead)
        gate.type(R.id.server, "https://pretix.eu")
        gate.type(R.id.token, "kpp4jn8g")
        gate.rotate()
        gate.sees(R.string.type_title)
        assertEquals("https://pretix.eu", gate.typed(R.id.server))
        assertEquals("kpp4jn8g", gate.typed(R.id.token))
    }

    @Test
    fun the_scan_engine_is_heard_by_the_activity_in_front_alone() {
        val action = "${gate.app.packageName}.SCAN"
        val listening = { shadowOf(gate.app).registeredReceivers.count { it.intentFilter.hasAction(action) } }
        gate.open()
        assertEquals(1, listening())
        gate.rotate()
        assertEquals(1, listening())
        gate.leave()
        assertEquals(0, listening())
    }
}
