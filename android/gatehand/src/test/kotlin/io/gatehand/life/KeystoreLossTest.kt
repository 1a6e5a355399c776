package io.gatehand.life

import io.gatehand.ApiRequest
import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.Heartbeat
import io.gatehand.VaultException
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestServer
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.Before
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/** A Keystore that loses its keys, or keeps them to itself for a while. */
@RunWith(RobolectricTestRunner::class)
class KeystoreLossTest {
    @get:Rule
    val server = TestServer()

    private lateinit var keystore: StandInKeystore
    private val folder = File(RuntimeEnvironment.getApplication().noBackupFilesDir, "gatehand/default")

    @Before
    fun forgetKeys() {
        keystore = StandInKeystore.reset()
    }

    /** What the files hold that matter, whatever their names. */
    private fun kept(): Set<List<Byte>> =
        folder.listFiles().orEmpty().filter { it.isFile && it.length() > 0 }.map { it.readBytes().toList() }.toSet()

    private fun losesAndEnrolsAgain(lose: () -> Unit): Unit = runBlocking {
        Devices.open().use { it.enrol(server.createDevice("Lane 1")) }
        val before = kept()
        lose()
        Devices.open().use { agent ->
            val state = assertIs<DeviceState.EnrolAgain>(agent.state.value)
            assertEquals(ErrorCode.KEY_LOST, state.cause.code)
            for (call in listOf<suspend () -> Any>(agent::refresh, { agent.request(ApiRequest.get("api/v1/device/info")) })) {
                val error = assertFailsWith<VaultException> { call() }
                assertEquals(ErrorCode.KEY_LOST, error.code)
                assertTrue("enrol this device again" in error.message, error.message)
            }
            assertEquals(Heartbeat.NEEDS_PERSON, agent.heartbeat())
            assertEquals(before, kept(), "nothing is touched before a person enrols again")
            assertEquals("Lane 2", agent.enrol(server.createDevice("Lane 2")).name)
        }
        assertTrue(kept().containsAll(before), "${folder.list().orEmpty().toList()}")
        Devices.open().use { assertEquals("Lane 2", it.refresh().name) }
    }

    @Test
    fun a_lost_key_asks_for_a_new_code_and_deletes_nothing(): Unit = losesAndEnrolsAgain(keystore::loseKeys)

    @Test
    fun so_does_a_key_that_is_another_one_now(): Unit = losesAndEnrolsAgain(keystore::exchangeKeys)

    @Test
    fun a_key_that_is_lost_twice_is_set_aside_twice(): Unit = runBlocking {
        for (lane in 1..3) {
            Devices.open().use { it.enrol(server.createDevice("Lane $lane")) }
            keystore.loseKeys()
        }
        val names = folder.list().orEmpty().toList()
        assertEquals(2, names.count { it.startsWith("vault.key.wrapped.lost-") }, "$names")
    }

    @Test
    fun a_busy_keystore_locks_the_vault_until_it_answers(): Unit = runBlocking {
        Devices.open().use { it.enrol(server.createDevice()) }
        keystore.busy = Int.MAX_VALUE
        Devices.open().use { agent ->
            assertEquals(ErrorCode.KEYSTORE_UNAVAILABLE, assertIs<DeviceState.VaultLocked>(agent.state.value).cause.code)
            val error = assertFailsWith<VaultException> { agent.refresh() }
            assertEquals(ErrorCode.KEYSTORE_UNAVAILABLE, error.code)
            assertEquals(Heartbeat.TRY_LATER, agent.heartbeat())
            keystore.busy = 0
            assertEquals("Lane 2", agent.refresh().name)
            assertIs<DeviceState.Enrolled>(agent.state.value)
        }
    }

    @Test
    fun a_vault_that_stays_locked_can_be_given_up(): Unit = runBlocking {
        Devices.open().use { it.enrol(server.createDevice("Lane 1")) }
        val before = kept()
        keystore.busy = Int.MAX_VALUE
        Devices.open().use { agent ->
            val second = server.createDevice("Lane 2")
            assertFailsWith<VaultException> { agent.enrol(second) }
            keystore.busy = BRIEFLY
            assertIs<DeviceState.VaultLocked>(agent.status())
            assertEquals("Lane 2", agent.enrol(second, replace = true).name)
        }
        assertTrue(kept().containsAll(before), "${folder.list().orEmpty().toList()}")
    }

    private companion object {
        /** Fewer times than a new key is tried to be made. */
        const val BRIEFLY = 2
    }
}
