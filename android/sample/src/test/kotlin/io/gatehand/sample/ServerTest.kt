package io.gatehand.sample

import android.content.Context
import android.content.RestrictionsManager
import android.os.Bundle
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestDevice
import io.gatehand.testing.TestServer
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

/** A handheld with a scan engine and the app on it, and the real server. */
@RunWith(RobolectricTestRunner::class)
abstract class ServerTest {
    @get:Rule
    val server = TestServer()

    protected val gate: Gate by lazy { Gate() }
    protected lateinit var keystore: StandInKeystore

    @Before
    fun putDataWedgeOntoTheDevice() {
        keystore = StandInKeystore.reset()
        shadowOf(RuntimeEnvironment.getApplication().packageManager).installPackage(packageInfo("com.symbol.datawedge"))
    }

    protected fun isInitialized(device: TestDevice): Boolean = !server.device(device.id).isNull("initialized")

    protected fun assertNothingWasSentFor(device: TestDevice) {
        assertFalse(isInitialized(device), "the token was redeemed")
    }

    /** A device of the server on which the app is open and enrolled. */
    protected fun enrolledGate(device: TestDevice = server.createDevice("Lane 2")): TestDevice {
        gate.open()
        gate.sees(R.string.scan_the_code)
        gate.scan(device.code)
        gate.press(R.string.confirm_yes)
        gate.sees(R.string.enrolled_title)
        gate.await("the end of the work") { gate.app.model.screen.value.busy == null }
        assertTrue(isInitialized(device))
        return device
    }

    /** Has the device's management set its code. */
    protected fun manage(device: TestDevice, allowed: String) {
        val restrictions = Bundle().apply {
            putString("url", device.server)
            putString("token", device.token)
            putString("allowed_servers", allowed)
        }
        val manager = gate.app.getSystemService(Context.RESTRICTIONS_SERVICE) as RestrictionsManager
        shadowOf(manager).setApplicationRestrictions(restrictions)
    }

    private fun packageInfo(name: String) = android.content.pm.PackageInfo().apply { packageName = name }
}
