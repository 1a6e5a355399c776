package io.gatehand.sample

import io.gatehand.testing.TestDevice
import io.gatehand.testing.TestGateway
import io.gatehand.testing.TestServer.Companion.ORGANIZER
import kotlin.test.Test
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import org.junit.After

/** The server enrols devices, but does not say what to scan for. */
class EventlessTest : ServerTest() {
    private val gateway = TestGateway { server.address }

    @After
    fun closeTheGateway() {
        gateway.close()
    }

    private fun enrolled() {
        gateway.answers(403, paths = setOf(TestGateway.EVENT_SELECTION))
        val device = server.createDevice("Lane 2")
        gate.open()
        gate.sees(R.string.scan_the_code)
        gate.scan(TestDevice(gateway.address, device.id, device.token).code)
        gate.press(R.string.confirm_yes)
        gate.sees(R.string.enrolled_title)
        gate.sees(R.string.event_not_told)
        assertTrue(isInitialized(device))
    }

    private fun assertNothingElseIsSaid() {
        for (words in listOf(R.string.error_foreign, R.string.error_refused, R.string.error_unreachable, R.string.refreshed)) {
            assertFalse(gate.shows(words), gate.app.getString(words))
        }
    }

    @Test
    fun a_good_enrolment_is_not_said_to_have_failed() {
        enrolled()
        assertNothingElseIsSaid()
    }

    @Test
    fun new_data_are_there_without_it_too() {
        enrolled()
        val id = server.devices().single().getLong("device_id")
        server.admin("device", "rename", ORGANIZER, id.toString(), "Lane 9")
        gate.press(R.string.refresh)
        gate.sees("Lane 9")
        gate.sees(R.string.event_not_told)
        assertNothingElseIsSaid()
    }
}
