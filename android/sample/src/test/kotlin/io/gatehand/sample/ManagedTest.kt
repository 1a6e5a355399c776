package io.gatehand.sample

import android.content.Context
import android.content.RestrictionsManager
import android.os.Bundle
import io.gatehand.testing.TestDevice
import kotlin.test.Test
import kotlin.test.assertTrue
import org.robolectric.Shadows.shadowOf

class ManagedTest : ServerTest() {
    private fun manage(device: TestDevice, allowed: String) {
        val restrictions = Bundle().apply {
            putString("url", device.server)
            putString("token", device.token)
            putString("allowed_servers", allowed)
        }
        val manager = gate.app.getSystemService(Context.RESTRICTIONS_SERVICE) as RestrictionsManager
        shadowOf(manager).setApplicationRestrictions(restrictions)
    }

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
}
