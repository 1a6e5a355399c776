package io.gatehand

import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestServer
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** The library as apps in Java use it, through the real native library. */
@RunWith(RobolectricTestRunner::class)
class JavaLifeTest {
    @get:Rule
    val server = TestServer()

    @Before
    fun forgetKeys() {
        StandInKeystore.reset()
    }

    @Test
    fun a_device_lives_in_java_too() {
        val life = JavaLife()
        val told = life.live(RuntimeEnvironment.getApplication(), server.createDevice("Lane 4").code)
        assertTrue(told.startsWith("Lane 4") && "\"device\"" in told, told)
        assertIs<DeviceState.Revoked>(life.states.last())
        assertTrue(AgentEvent.KeyRolled in life.events, "${life.events}")
    }

    @Test
    @Config(sdk = [27])
    fun a_failure_is_an_exception_that_java_can_catch() {
        val device = server.createDevice()
        server.revoke(device.id)
        assertFailsWith<GatehandException> { JavaLife().live(RuntimeEnvironment.getApplication(), device.code) }
        assertFailsWith<EnrolmentCodeException> { JavaLife().live(RuntimeEnvironment.getApplication(), "4006381333931") }
    }

    @Test
    @Config(sdk = [27])
    fun null_is_refused_at_once_by_the_name_of_the_parameter() {
        val context = RuntimeEnvironment.getApplication()
        ScannerAgent.open(context, AgentConfig.Builder("pretixSCAN", "2.3.1").build()).use { agent ->
            for ((parameter, call) in JavaNulls.all(context, agent)) {
                val error = assertFailsWith<NullPointerException>(parameter) { call.call() }
                assertTrue(error.message!!.endsWith("parameter $parameter"), "$parameter: ${error.message}")
            }
            assertEquals(DeviceState.NotEnrolled, agent.status())
        }
    }
}
