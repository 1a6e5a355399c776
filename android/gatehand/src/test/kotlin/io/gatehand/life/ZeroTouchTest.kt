package io.gatehand.life

import android.app.Application
import android.content.Context
import android.content.ContextWrapper
import android.content.Intent
import android.content.RestrictionsManager
import android.os.Bundle
import android.os.Looper
import io.gatehand.AgentConfig
import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.Heartbeat
import io.gatehand.ManagedKeys
import io.gatehand.ManagedOutcome
import io.gatehand.RefusedException
import io.gatehand.ScannerAgent
import io.gatehand.VaultException
import io.gatehand.internal.keystore.KeystoreFaults
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.StandInOperation
import io.gatehand.testing.TestDevice
import io.gatehand.testing.TestGateway
import io.gatehand.testing.TestProxy
import io.gatehand.testing.TestServer
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.Before
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

/** A device that its management sets up, with the real server. */
@RunWith(RobolectricTestRunner::class)
class ZeroTouchTest {
    @get:Rule
    val server = TestServer()

    private lateinit var keystore: StandInKeystore
    private val context: Application = RuntimeEnvironment.getApplication()

    @Before
    fun forgetKeys() {
        keystore = StandInKeystore.reset()
    }

    /** Sets the app's restrictions, as the management does, and tells the app. */
    private fun manage(device: TestDevice, url: String = server.address, allowed: String = url, keys: ManagedKeys = ManagedKeys()) {
        val restrictions = Bundle().apply {
            putString(keys.url, url)
            putString(keys.token, device.token)
            putString(keys.allowedServers, allowed)
        }
        shadowOf(context.getSystemService(Context.RESTRICTIONS_SERVICE) as RestrictionsManager).setApplicationRestrictions(restrictions)
        context.sendBroadcast(Intent(Intent.ACTION_APPLICATION_RESTRICTIONS_CHANGED))
        shadowOf(Looper.getMainLooper()).idle()
    }

    private suspend inline fun <reified T : ManagedOutcome> outcome(agent: ScannerAgent): T =
        withTimeout(30_000) { assertIs<T>(agent.managedOutcome.first { it is T }) }

    private fun isInitialized(device: TestDevice): Boolean = !server.device(device.id).isNull("initialized")

    @Test
    fun a_managed_device_enrols_by_itself_and_once_with_each_token(): Unit = runBlocking {
        val first = server.createDevice("Lane 1")
        manage(first)
        Devices.open().use { agent ->
            outcome<ManagedOutcome.Enrolled>(agent)
            assertEquals("Lane 1", assertIs<DeviceState.Enrolled>(agent.state.value).identity.name)
        }
        Devices.open().use { agent ->
            outcome<ManagedOutcome.NotNeeded>(agent)
            server.revoke(first.id)
            assertFailsWith<RefusedException> { agent.refresh() }
        }
        Devices.open().use { agent ->
            outcome<ManagedOutcome.AlreadyUsed>(agent)
            assertEquals(Heartbeat.NEEDS_PERSON, agent.heartbeat())
            val second = server.createDevice("Lane 2")
            manage(second)
            outcome<ManagedOutcome.Enrolled>(agent)
            assertEquals("Lane 2", agent.refresh().name)
            manage(server.createDevice("Lane 3"))
            outcome<ManagedOutcome.NotNeeded>(agent)
        }
        assertEquals(2, server.devices().count { !it.isNull("initialized") })
    }

    @Test
    fun an_app_says_how_the_keys_of_its_configuration_are_called(): Unit = runBlocking {
        val keys = ManagedKeys("pretix_url", "pretix_token", "pretix_servers")
        manage(server.createDevice("Lane 1"), keys = keys)
        Devices.open("other").use { outcome<ManagedOutcome.NotConfigured>(it) }
        Devices.open { managedKeys(keys) }.use { outcome<ManagedOutcome.Enrolled>(it) }
    }

    @Test
    fun nothing_is_sent_to_a_server_that_is_not_allowed(): Unit = runBlocking {
        val device = server.createDevice()
        TestProxy(server.address).use { watched ->
            manage(device, url = watched.address, allowed = "https://pretix.eu")
            Devices.open().use { agent ->
                assertEquals(watched.address, outcome<ManagedOutcome.NotAllowed>(agent).origin)
                assertEquals(Heartbeat.NEEDS_PERSON, agent.heartbeat())
                assertEquals(DeviceState.NotEnrolled, agent.status())
                assertEquals(0, watched.connections)
                assertFalse(isInitialized(device))
                // What was watched would have seen it.
                manage(device, url = watched.address)
                outcome<ManagedOutcome.Enrolled>(agent)
                assertTrue(watched.connections > 0)
            }
        }
    }

    @Test
    fun a_server_that_is_away_is_tried_again_by_the_heartbeat(): Unit = runBlocking {
        val device = server.createDevice()
        manage(device)
        server.stop()
        Devices.openImpatient().use { agent ->
            outcome<ManagedOutcome.TryLater>(agent)
            assertEquals(Heartbeat.TRY_LATER, agent.heartbeat())
            server.restart()
            assertEquals(Heartbeat.DONE, agent.heartbeat())
            assertIs<ManagedOutcome.Enrolled>(agent.managedOutcome.value)
            assertTrue(isInitialized(device))
        }
    }

    @Test
    fun a_token_that_the_server_refuses_is_said_so_and_not_tried_again(): Unit = runBlocking {
        val device = server.createDevice()
        manage(TestDevice(server.address, device.id, device.token.reversed()))
        Devices.open().use { agent ->
            assertEquals(ErrorCode.TOKEN_REFUSED, outcome<ManagedOutcome.Failed>(agent).cause.code)
            assertEquals(Heartbeat.NEEDS_PERSON, agent.heartbeat())
            assertIs<ManagedOutcome.AlreadyUsed>(agent.managedOutcome.value)
        }
    }

    @Test
    fun a_list_of_used_tokens_that_cannot_be_kept_is_said_so(): Unit = runBlocking {
        manage(server.createDevice())
        assertTrue(File(context.noBackupFilesDir, "gatehand/default/managed-tokens").mkdirs())
        Devices.open().use { agent ->
            assertEquals(ErrorCode.VAULT_UNWRITABLE, outcome<ManagedOutcome.TryLater>(agent).cause.code)
            assertEquals(Heartbeat.TRY_LATER, agent.heartbeat())
        }
    }

    @Test
    fun a_gateways_refusal_does_not_use_the_token_up(): Unit = runBlocking {
        val device = server.createDevice()
        TestGateway { server.address }.use { gateway ->
            gateway.answers(403)
            manage(device, url = gateway.address)
            Devices.openImpatient().use { agent ->
                assertEquals(ErrorCode.REFUSED, outcome<ManagedOutcome.TryLater>(agent).cause.code)
                for (status in listOf(401, 404, 503)) {
                    gateway.answers(status)
                    assertEquals(Heartbeat.TRY_LATER, agent.heartbeat(), "$status")
                }
                gateway.answer = null
                assertEquals(Heartbeat.DONE, agent.heartbeat())
                assertTrue(isInitialized(device))
            }
        }
    }

    @Test
    fun a_vault_that_another_process_is_changing_is_waited_for(): Unit = runBlocking {
        Devices.openImpatient().use { agent ->
            // flock(1), for Java has another kind of lock.
            val lock = File(context.noBackupFilesDir, "gatehand/default/vault.lock")
            val holder = ProcessBuilder("flock", lock.path, "sh", "-c", "echo held; cat").start()
            try {
                assertEquals("held", holder.inputStream.bufferedReader().readLine())
                manage(server.createDevice())
                assertEquals(ErrorCode.VAULT_IN_USE, outcome<ManagedOutcome.TryLater>(agent).cause.code)
                assertEquals(Heartbeat.TRY_LATER, agent.heartbeat())
            } finally {
                holder.outputStream.close()
                holder.waitFor()
            }
            assertEquals(Heartbeat.DONE, agent.heartbeat())
        }
    }

    @Test
    fun no_fault_of_the_keystore_spends_a_token(): Unit = runBlocking {
        val first = server.createDevice("Lane 1")
        Devices.open().use { it.enrol(first) }
        val second = server.createDevice("Lane 2")
        manage(second)
        // Each as good as any other for what comes after it.
        for ((operation, fault) in KeystoreFaults.passing.filter { (operation, _) -> operation == StandInOperation.FIND }) {
            keystore.fault = { if (it == operation) fault else null }
            Devices.open().use { agent ->
                assertEquals(ErrorCode.KEYSTORE_UNAVAILABLE, outcome<ManagedOutcome.TryLater>(agent).cause.code, "$fault")
                assertEquals(Heartbeat.TRY_LATER, agent.heartbeat(), "$fault")
                assertFailsWith<VaultException>("$fault") { agent.mediumKeySets() }
                keystore.fault = { null }
                assertEquals(Heartbeat.DONE, agent.heartbeat(), "$fault")
                assertIs<ManagedOutcome.NotNeeded>(agent.managedOutcome.value, "$fault")
                assertEquals("Lane 1", assertIs<DeviceState.Enrolled>(agent.status()).identity.name)
            }
        }
        assertFalse(isInitialized(second))
    }

    @Test
    fun a_device_whose_management_does_not_answer_still_works(): Unit = runBlocking {
        var isBroken = true
        val app = object : ContextWrapper(context) {
            override fun getApplicationContext(): Context = this

            override fun getSystemService(name: String): Any? =
                if (isBroken && name == Context.RESTRICTIONS_SERVICE) throw IllegalStateException("dead system") else super.getSystemService(name)
        }
        ScannerAgent.open(app, AgentConfig.Builder("pretixSCAN", "2.3.1").build()).use { agent ->
            assertEquals(ErrorCode.ANDROID_FAILED, outcome<ManagedOutcome.TryLater>(agent).cause.code)
            assertEquals(Heartbeat.TRY_LATER, agent.heartbeat())
            agent.enrol(server.createDevice())
            assertEquals(Heartbeat.DONE, agent.heartbeat())
            isBroken = false
            assertEquals(Heartbeat.DONE, agent.heartbeat())
            assertIs<ManagedOutcome.NotConfigured>(agent.managedOutcome.value)
        }
    }

    @Test
    fun an_app_may_do_without(): Unit = runBlocking {
        val device = server.createDevice()
        manage(device)
        Devices.open { managedConfiguration(false) }.use { agent ->
            assertEquals(Heartbeat.NEEDS_PERSON, agent.heartbeat())
            assertEquals(ManagedOutcome.NotConfigured, agent.managedOutcome.value)
        }
        assertFalse(isInitialized(device))
    }
}
