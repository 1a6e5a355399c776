package io.gatehand

import android.app.Application
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestServer
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotEquals
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.Before
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/** A device's life against the real server, through the real native library of this machine. */
@RunWith(RobolectricTestRunner::class)
class LifeTest {
    @get:Rule
    val server = TestServer()

    private val context: Application = RuntimeEnvironment.getApplication()
    private val config = AgentConfig.Builder("pretixSCAN", "2.3.1").build()

    @Before
    fun forgetKeys() {
        StandInKeystore.reset()
    }

    /** A device whose token has one of the letters that layouts exchange. */
    private fun deviceWithTokenOfY() = generateSequence { server.createDevice() }
        .first { device -> device.token.any { it in "yz" } }

    @Test
    fun of_tokens_that_a_code_may_mean_the_one_is_redeemed_that_the_server_knows(): Unit = runBlocking {
        val device = deviceWithTokenOfY()
        // A US scanner at a Swedish system; at a German one y would have meant z.
        val keys = mapOf(':' to 'Ö', '/' to '-', '?' to '_', '=' to '´', '&' to '/')
        val typed = device.link.map { keys[it] ?: it }.joinToString("")
        val enrolment = Enrolment.parse(typed)
        assertNotEquals(Enrolment.parse(device.link), enrolment)
        ScannerAgent.open(context, config).use { agent ->
            val identity = agent.initialize(enrolment.confirmed(enrolment.origin))
            assertEquals("Lane 2", identity.name)
        }
    }

    @Test
    fun a_device_is_enrolled_restarted_rolled_and_revoked(): Unit = runBlocking {
        val enrolment = Enrolment.parse(server.createDevice().code)
        ScannerAgent.open(context, config).use { agent ->
            assertEquals(DeviceState.NotEnrolled, agent.status())
            val identity = agent.initialize(enrolment.confirmed(enrolment.origin))
            assertEquals("Lane 2", identity.name)
            assertIs<DeviceState.Enrolled>(agent.state.value)
        }
        ScannerAgent.open(context, config).use { agent ->
            assertIs<DeviceState.Enrolled>(agent.state.value)
            val identity = agent.refresh()
            assertEquals("bigevents", identity.organizer)
            // As servers number their versions, by year and release.
            assertTrue(checkNotNull(identity.serverVersionNumeric) > 20_200_000_000_000, "$identity")
            assertEquals(200, agent.request(ApiRequest.get("api/v1/device/info")).status)
            val streamed = agent.stream(ApiRequest.get("api/v1/device/info")).use { it.body.readBytes().decodeToString() }
            assertTrue("Lane 2" in streamed, streamed)
            agent.eventSelection()
            agent.roll()
            agent.revoke()
            assertIs<DeviceState.Revoked>(agent.state.value)
            agent.close()
            assertFailsWith<IllegalStateException> { agent.refresh() }
        }
    }
}
