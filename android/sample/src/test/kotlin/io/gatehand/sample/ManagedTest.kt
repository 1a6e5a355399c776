package io.gatehand.sample

import io.gatehand.testing.TestDevice
import kotlin.test.Test
import kotlin.test.assertFalse
import kotlin.test.assertSame
import kotlin.test.assertTrue
import org.robolectric.annotation.Config

@Config(application = RestartingApp::class)
class ManagedTest : ServerTest() {
    @Test
    fun a_managed_device_enrols_without_a_person() {
        val device = server.createDevice("Lane 4")
        manage(device, server.address)
        gate.open()
        gate.sees(R.string.enrolled_title)
        gate.sees("Lane 4")
        assertTrue(isInitialized(device))
    }

    @Test
    fun a_server_that_management_does_not_allow_is_named_on_the_screen() {
        val device = server.createDevice()
        manage(device, "https://pretix.eu")
        gate.open()
        gate.sees(R.string.managed_not_allowed, server.address)
        gate.sees(R.string.scan_the_code)
        assertNothingWasSentFor(device)
    }

    /** A device with a code from its management, whose server is away when the app starts. */
    private fun managedButServerIsAway(): TestDevice {
        val device = server.createDevice("Lane 4")
        manage(device, server.address)
        server.stop()
        gate.open()
        gate.sees(R.string.managed_later)
        return device
    }

    @Test
    fun a_server_that_is_away_is_tried_again_in_the_background() {
        val device = managedButServerIsAway()
        gate.await("the job") { HeartbeatJob.SOON in gate.jobs() }
        val job = gate.jobs().getValue(HeartbeatJob.SOON)
        // It is the same job after the next failure, so its pauses grow.
        assertTrue(gate.runJob())
        HeartbeatJob.soon(gate.app)
        assertSame(job, gate.jobs()[HeartbeatJob.SOON])
        server.restart()
        assertFalse(gate.runJob())
        gate.sees(R.string.enrolled_title)
        gate.sees("Lane 4")
        assertTrue(isInitialized(device))
    }

    @Test
    fun a_server_that_is_away_can_be_tried_again_by_hand() {
        val device = managedButServerIsAway()
        gate.press(R.string.try_again)
        gate.sees(R.string.busy_asking)
        gate.await("the end of the work") { gate.app.model.screen.value.busy == null }
        gate.sees(R.string.managed_later)
        server.restart()
        gate.press(R.string.try_again)
        gate.sees(R.string.enrolled_title)
        gate.sees(R.string.event_none)
        assertTrue(isInitialized(device))
    }
}
