package io.gatehand.life

import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.DeviceStateException
import io.gatehand.ErrorCode
import io.gatehand.ExistingIdentity
import io.gatehand.GatehandException
import io.gatehand.RefusedException
import io.gatehand.docs.OldSettings
import io.gatehand.docs.takeOver
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestGateway
import io.gatehand.testing.TestServer
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.Before
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** An app that has a key from before it used gatehand. */
@RunWith(RobolectricTestRunner::class)
class AdoptionTest {
    @get:Rule
    val server = TestServer()

    @Before
    fun forgetKeys() {
        StandInKeystore.reset()
    }

    @Test
    fun the_device_is_kept_with_its_key(): Unit = runBlocking {
        val old = server.enrolWithout(server.createDevice("Lane 7"))
        Devices.open().use { agent ->
            val identity = agent.adopt(ExistingIdentity(server.address, old.key, old.uniqueSerial))
            assertEquals("Lane 7" to old.uniqueSerial, identity.name to identity.uniqueSerial)
        }
        Devices.open().use { agent ->
            assertIs<DeviceState.Enrolled>(agent.state.value)
            // The app ended before it had removed its own copy.
            assertEquals("Lane 7", agent.adopt(ExistingIdentity(server.address, old.key, old.uniqueSerial)).name)
            // The key that the other app knew is dead from now on, if the app wants that.
            agent.roll()
            assertEquals("Lane 7", agent.refresh().name)
            assertEquals(ErrorCode.ALREADY_ENROLLED, assertFailsWith<DeviceStateException> { agent.adopt(ExistingIdentity(server.address, old.key)) }.code)
        }
        Devices.open("another").use { agent ->
            assertEquals(ErrorCode.REJECTED, assertFailsWith<RefusedException> { agent.adopt(ExistingIdentity(server.address, old.key)) }.code)
        }
        assertEquals(1, server.devices().size)
    }

    @Test
    fun a_take_over_as_documented_goes_on_after_a_failed_roll_though_the_serial_was_not_known(): Unit = runBlocking {
        val old = server.enrolWithout(server.createDevice("Lane 7"))
        TestGateway { server.address }.use { gateway ->
            val settings = OldSettings(gateway.address, old.key, null)
            Devices.openImpatient().use { agent ->
                gateway.answers(503, paths = setOf(TestGateway.ROLL))
                assertFailsWith<ConnectionException> { takeOver(agent, settings) }
                assertEquals(old.key, settings.key)
            }
            gateway.answer = null
            Devices.openImpatient().use { agent ->
                takeOver(agent, settings)
                assertNull(settings.key)
                assertEquals(old.uniqueSerial, agent.refresh().uniqueSerial)
            }
        }
        Devices.open("another").use { agent ->
            assertFailsWith<RefusedException> { agent.adopt(ExistingIdentity(server.address, old.key)) }
        }
    }

    @Test
    fun a_vault_whose_key_is_lost_is_set_aside_for_it(): Unit = runBlocking {
        val old = server.enrolWithout(server.createDevice("Lane 7"))
        Devices.open().use { it.adopt(ExistingIdentity(server.address, old.key)) }
        StandInKeystore.reset()
        Devices.open().use { agent ->
            assertIs<DeviceState.EnrolAgain>(agent.state.value)
            assertEquals("Lane 7", agent.adopt(ExistingIdentity(server.address, old.key)).name)
            assertIs<DeviceState.Enrolled>(agent.state.value)
        }
    }

    @Test
    fun a_key_is_not_sent_unencrypted_to_another_machine_unless_the_app_allows_it(): Unit = runBlocking {
        val existing = ExistingIdentity("http://192.0.2.1:8345", "key")
        Devices.openImpatient().use { agent ->
            val error = assertFailsWith<GatehandException> { agent.adopt(existing) }
            assertEquals(ErrorCode.ARGUMENT_INVALID, error.code)
            assertTrue("AgentConfig" in error.message && "--" !in error.message, error.message)
        }
        Devices.openImpatient { allowHttp(true) }.use { agent ->
            assertFailsWith<ConnectionException> { agent.adopt(existing) }
        }
    }

    @Test
    fun a_key_that_is_dead_is_told_from_what_may_be_a_gateways_word(): Unit = runBlocking {
        val device = server.createDevice()
        val old = server.enrolWithout(device)
        TestGateway { server.address }.use { gateway ->
            Devices.openImpatient().use { agent ->
                suspend fun failure(key: String = old.key) =
                    assertFailsWith<GatehandException> { agent.adopt(ExistingIdentity(gateway.address, key)) }
                gateway.answers(401, "<html>Log in</html>", "text/html")
                failure().let { assertEquals(ErrorCode.FOREIGN_ANSWER to true, it.code to it.isTemporary) }
                gateway.answers(401, """{"message": "Unauthorized"}""")
                failure().let { assertEquals(ErrorCode.FOREIGN_ANSWER to true, it.code to it.isTemporary) }
                gateway.answers(403)
                failure().let { assertEquals(ErrorCode.REFUSED to true, it.code to it.isTemporary) }
                gateway.answer = null
                failure(old.key.reversed()).let { assertEquals(ErrorCode.REJECTED to false, it.code to it.isTemporary) }
                server.revoke(device.id)
                val revoked = assertIs<RefusedException>(failure())
                assertEquals(ErrorCode.REVOKED to 401, revoked.code to revoked.status)
                assertFalse(revoked.isTemporary)
                assertTrue("scan a code" in revoked.message, revoked.message)
                assertEquals(DeviceState.NotEnrolled, agent.status())
            }
        }
    }

    @Test
    fun what_the_server_does_not_confirm_is_not_taken(): Unit = runBlocking {
        val old = server.enrolWithout(server.createDevice())
        Devices.openImpatient().use { agent ->
            val wrongKey = ExistingIdentity(server.address, old.key.reversed())
            val wrongSerial = ExistingIdentity(server.address, old.key, "ABCDEFGHIJKLMNOP")
            val noServer = ExistingIdentity("no address", old.key)
            val codes = listOf(wrongKey, wrongSerial, noServer).map { existing ->
                val error = assertFailsWith<GatehandException> { agent.adopt(existing) }
                assertFalse(old.key in error.stackTraceToString() || old.key.reversed() in error.stackTraceToString())
                error.code
            }
            assertEquals(listOf(ErrorCode.REJECTED, ErrorCode.OTHER_DEVICE, ErrorCode.ARGUMENT_INVALID), codes)
            server.stop()
            assertFailsWith<ConnectionException> { agent.adopt(ExistingIdentity(server.address, old.key)) }
            assertEquals(DeviceState.NotEnrolled, agent.status())
            server.restart()
            assertEquals(old.uniqueSerial, agent.adopt(ExistingIdentity(server.address, old.key)).uniqueSerial)
        }
    }
}
