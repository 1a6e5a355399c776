package io.gatehand.misuse

import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.life.Devices
import io.gatehand.life.enrol
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestDevice
import io.gatehand.testing.TestLibrary
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlinx.coroutines.runBlocking
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** An app in a process of its own, whose native library panics at the place that the environment names. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [27])
class PanickingApp {
    @Test
    fun goes_on() {
        TestLibrary.use()
        StandInKeystore.reset()
        val place = System.getenv("GATEHAND_PANIC_AT")
        if (place == AT_ONCE) {
            assertPanic(place, assertFailsWith<GatehandException> { Devices.open() })
        }
        Devices.open().use { agent ->
            val device = TestDevice(System.getProperty(SERVER), 1, System.getProperty(TOKEN))
            runBlocking {
                agent.enrol(device)
                if (place == WHILE_IT_RUNS) assertPanic(place, assertFailsWith<GatehandException> { agent.roll() })
                agent.roll()
            }
            assertIs<DeviceState.Enrolled>(agent.status())
        }
    }

    private fun assertPanic(place: String, error: GatehandException) {
        assertEquals(ErrorCode.INTERNAL, error.code)
        assertEquals("reached \"$place\"", assertNotNull(error.cause).message)
    }

    companion object {
        const val AT_ONCE = "vault: opened"
        const val WHILE_IT_RUNS = "operation: begun"
        const val SERVER = "gatehand.test.server"
        const val TOKEN = "gatehand.test.token"
    }
}
