package io.gatehand.life

import android.util.Base64
import io.gatehand.Agent
import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.ExistingIdentity
import io.gatehand.GatehandException
import io.gatehand.RefusedException
import io.gatehand.VaultException
import io.gatehand.testing.OldApp
import io.gatehand.testing.StandInKey
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestServer
import java.security.KeyStore
import kotlin.test.Test
import kotlin.test.assertContentEquals
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

/** NFC media of a device that an app enrolled before it used gatehand, with an RSA key of its own in the Keystore. */
@RunWith(RobolectricTestRunner::class)
class AdoptedMediaKeyTest {
    @get:Rule
    val server = TestServer()

    private lateinit var keystore: StandInKeystore

    @Before
    fun start() {
        keystore = StandInKeystore.reset()
        keystore.put(ALIAS, StandInKey())
        server.admin("media-keys", "create", TestServer.ORGANIZER, "7")
    }

    /** The app's key in PEM, as apps write it, with [flags] of Android's Base64. */
    private fun pem(flags: Int = Base64.DEFAULT): String =
        "-----BEGIN PUBLIC KEY-----\n${Base64.encodeToString(keystore.publicKey(ALIAS).encoded, flags).trim()}\n-----END PUBLIC KEY-----"

    private fun existing(old: OldApp, alias: String? = ALIAS) = ExistingIdentity(server.address, old.key, old.uniqueSerial, alias)

    private suspend fun uidKey(agent: Agent): ByteArray = agent.mediumKeySets().single().also { assertEquals(7, it.publicId) }.uidKey()

    @Test
    fun the_keys_are_read_with_the_app_s_key_however_that_was_written_after_a_roll_and_a_restart(): Unit = runBlocking {
        val uidKey = Devices.open("another").use { another ->
            another.initialize(Enrolment.of(server.address, server.createDevice().token).let { it.confirmed(it.origin) })
            uidKey(another)
        }
        for ((index, flags) in listOf(Base64.DEFAULT, Base64.NO_WRAP).withIndex()) {
            val device = server.createDevice("Lane 7")
            val old = server.enrolWithout(device, pem(flags))
            Devices.open("lane-$index").use { agent ->
                agent.adopt(existing(old))
                // The app ended before it had removed its own copy.
                agent.adopt(existing(old))
                assertContentEquals(uidKey, uidKey(agent))
                agent.roll()
                assertContentEquals(uidKey, uidKey(agent))
            }
            Devices.open("lane-$index").use { agent -> assertContentEquals(uidKey, uidKey(agent)) }
        }
        assertFalse(keystore.aliases.any { it.startsWith("io.gatehand.media.lane") }, "${keystore.aliases}")
    }

    @Test
    fun a_key_that_the_server_does_not_know_is_refused_and_nothing_is_adopted(): Unit = runBlocking {
        val device = server.createDevice("Lane 7")
        val old = server.enrolWithout(device, pem())
        val reported = keystore.publicKey(ALIAS)
        keystore.put("other", StandInKey())
        val before = server.device(device.id).toString()
        Devices.open().use { agent ->
            val refused = assertFailsWith<RefusedException> { agent.adopt(existing(old, "other")) }
            assertEquals(Triple(ErrorCode.OTHER_MEDIA_KEY, 400, false), Triple(refused.code, refused.status, refused.isTemporary))
            assertTrue("alias" in refused.message && "--" !in refused.message, refused.message)
            assertEquals(DeviceState.NotEnrolled, agent.status())
            assertEquals(before, server.device(device.id).toString())
            agent.adopt(existing(old))
            uidKey(agent)
        }
        assertEquals(reported, keystore.publicKey(ALIAS))
    }

    @Test
    fun a_key_that_is_not_there_not_fit_or_not_to_be_asked_now_is_told_before_anything_is_sent(): Unit = runBlocking {
        val old = server.enrolWithout(server.createDevice("Lane 7"), pem())
        keystore.put("aes", StandInKey("AES"))
        server.stop()
        Devices.openImpatient().use { agent ->
            suspend fun failure(alias: String) = assertFailsWith<GatehandException> { agent.adopt(existing(old, alias)) }
            assertEquals(ErrorCode.KEY_LOST to false, failure("nothing").let { it.code to it.isTemporary })
            assertEquals(ErrorCode.MEDIA_KEY_UNUSABLE to false, failure("aes").let { it.code to it.isTemporary })
            keystore.isAway = true
            assertEquals(ErrorCode.KEYSTORE_UNAVAILABLE to true, failure(ALIAS).let { it.code to it.isTemporary })
            keystore.isAway = false
            assertIs<ConnectionException>(failure(ALIAS))
            assertEquals(DeviceState.NotEnrolled, agent.status())
            server.restart()
            agent.adopt(existing(old))
        }
    }

    @Test
    fun a_device_that_was_adopted_without_its_key_gets_it_by_the_same_call(): Unit = runBlocking {
        val old = server.enrolWithout(server.createDevice("Lane 7"), pem())
        Devices.open().use { agent ->
            agent.adopt(existing(old, null))
            assertEquals(ErrorCode.KEY_LOST, assertFailsWith<VaultException> { agent.mediumKeySets() }.code)
            agent.adopt(existing(old))
            uidKey(agent)
        }
    }

    @Test
    fun an_adopted_key_that_is_lost_later_is_told_and_no_other_made(): Unit = runBlocking {
        val old = server.enrolWithout(server.createDevice("Lane 7"), pem())
        Devices.open().use { agent ->
            agent.adopt(existing(old))
            val vault = keystore.aliases - ALIAS
            KeyStore.getInstance(StandInKeystore.NAME).apply { load(null) }.deleteEntry(ALIAS)
            assertEquals(ErrorCode.KEY_LOST, assertFailsWith<VaultException> { agent.mediumKeySets() }.code)
            assertEquals(vault, keystore.aliases)
            agent.refresh()
        }
    }

    @Test
    fun the_sets_are_read_while_the_server_is_away_after_a_restart_too(): Unit = runBlocking {
        val device = server.createDevice("Lane 7")
        val old = server.enrolWithout(device, pem())
        val uidKey = Devices.open().use { agent ->
            agent.adopt(existing(old))
            val begun = System.currentTimeMillis()
            val sets = agent.mediumKeySets()
            assertTrue(sets.asOfMillis in begun..System.currentTimeMillis())
            assertNull(sets.unasked)
            sets.single().uidKey()
        }
        server.stop()
        Devices.openImpatient().use { agent ->
            val sets = agent.mediumKeySets()
            assertContentEquals(uidKey, sets.single().uidKey())
            assertIs<ConnectionException>(sets.unasked)
            assertTrue(sets.isFromVault && sets.asOfMillis <= System.currentTimeMillis())
            keystore.isAway = true
            assertEquals(ErrorCode.KEYSTORE_UNAVAILABLE, assertFailsWith<VaultException> { agent.mediumKeySets() }.code)
            keystore.isAway = false
        }
        server.restart()
        server.revoke(device.id)
        Devices.openImpatient().use { agent ->
            assertEquals(ErrorCode.REVOKED, assertFailsWith<RefusedException> { agent.mediumKeySets() }.code)
            server.stop()
            assertEquals(ErrorCode.REVOKED, assertFailsWith<RefusedException> { agent.mediumKeySets() }.code)
        }
    }

    @Test
    fun without_anything_told_before_a_server_that_is_away_is_said_to_be_that(): Unit = runBlocking {
        val old = server.enrolWithout(server.createDevice("Lane 7"), pem())
        Devices.openImpatient().use { agent ->
            agent.adopt(existing(old))
            server.stop()
            assertFailsWith<ConnectionException> { agent.mediumKeySets() }
        }
    }

    private companion object {
        const val ALIAS = "device"
    }
}
