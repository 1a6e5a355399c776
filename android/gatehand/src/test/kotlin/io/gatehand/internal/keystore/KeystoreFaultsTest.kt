package io.gatehand.internal.keystore

import android.app.Application
import io.gatehand.ErrorCode
import io.gatehand.VaultException
import io.gatehand.testing.StandInKey
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.StandInOperation
import java.io.File
import java.security.Security
import javax.crypto.AEADBadTagException
import javax.crypto.BadPaddingException
import kotlin.test.BeforeTest
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** Whatever a Keystore throws, what leaves the package is of ours, and only a key that is surely lost is lost. */
@RunWith(RobolectricTestRunner::class)
class KeystoreFaultsTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private val context: Application = RuntimeEnvironment.getApplication()
    private val folder get() = File(temporary.root, "vault")
    private val file get() = File(folder, VaultKeyFile.NAME)
    private val media = MediaKey(context, "media") {}
    private lateinit var keystore: StandInKeystore

    @BeforeTest
    fun start() {
        keystore = StandInKeystore.reset()
    }

    private fun keyFile(pause: (Long) -> Unit = {}) = VaultKeyFile(context, folder, "default", pause)

    private fun open(): ByteArray = assertIs<VaultKey.Ready>(keyFile().open()).bytes

    private fun used(): ByteArray = open().also { File(folder, VaultKeyFile.VAULT).writeText("sealed") }

    private fun assertLost(key: VaultKey) {
        if (key is VaultKey.Unavailable) throw AssertionError("the key is unavailable", key.cause)
        assertEquals(ErrorCode.KEY_LOST, assertIs<VaultKey.Lost>(key).cause.code)
    }

    private fun assertUnavailable(key: VaultKey, what: String) {
        assertEquals(ErrorCode.KEYSTORE_UNAVAILABLE, assertIs<VaultKey.Unavailable>(key, what).cause.code, what)
    }

    private fun assertUnavailable(what: String, work: () -> Unit) {
        assertEquals(ErrorCode.KEYSTORE_UNAVAILABLE, assertFailsWith<VaultException>(what, work).code, what)
    }

    private fun failing(operation: StandInOperation, fault: Throwable, work: (String) -> Unit) {
        keystore.fault = { if (it == operation) fault else null }
        work("$fault at $operation")
        keystore.fault = { null }
    }

    /** The media key, encrypted as a server does. */
    private fun encrypted(secret: ByteArray): ByteArray =
        Keystore.ask { RsaKeys.encrypt(assertNotNull(RsaKeys.load("media")).certificate.publicKey, secret) }

    @Test
    fun no_fault_but_a_certain_loss_makes_a_vault_s_key_lost_and_each_passes() {
        val key = used()
        val before = file.readText()
        for ((operation, fault) in KeystoreFaults.passing) {
            if (operation == StandInOperation.MAKE_AES || operation == StandInOperation.MAKE_RSA) continue
            failing(operation, fault) { what -> assertUnavailable(keyFile().open(), what) }
            assertContentEquals(key, open())
        }
        assertEquals(before, file.readText())
    }

    @Test
    fun no_fault_while_a_vault_s_key_is_made_leaves_anything_behind() {
        for ((operation, fault) in KeystoreFaults.passing) {
            val other = if (android.os.Build.VERSION.SDK_INT >= 23) StandInOperation.MAKE_RSA else StandInOperation.MAKE_AES
            if (operation == other) continue
            keystore.loseKeys()
            failing(operation, fault) { what ->
                assertUnavailable(keyFile().open(), what)
                assertFalse(file.exists(), what)
                if (operation != StandInOperation.LOAD) assertEquals(emptySet(), keystore.aliases, what)
            }
        }
        open()
    }

    @Test
    fun a_device_without_a_keystore_is_unavailable() {
        val key = used()
        Security.removeProvider(StandInKeystore.NAME)
        assertUnavailable(keyFile().open(), "no provider")
        assertUnavailable("no provider") { media.publicKeyPem() }
        Security.insertProviderAt(keystore, 1)
        assertContentEquals(key, open())
    }

    @Test
    fun keys_that_are_missing_while_the_keystore_is_away_are_not_lost() {
        val key = used()
        val pem = media.publicKeyPem()
        val secret = ByteArray(16) { 7 }
        val encrypted = encrypted(secret)
        keystore.isAway = true
        assertUnavailable(keyFile().open(), "away")
        assertUnavailable("away") { media.publicKeyPem() }
        assertUnavailable("away") { media.decrypt(encrypted) }
        keystore.isAway = false
        assertContentEquals(key, open())
        assertEquals(pem, media.publicKeyPem())
        assertContentEquals(secret, media.decrypt(encrypted))
    }

    @Test
    fun a_key_that_once_opens_nothing_is_looked_at_again() {
        val key = used()
        for (fault in listOf(BadPaddingException("stand-in"), AEADBadTagException("stand-in"))) {
            var times = 1
            keystore.fault = { if (it == StandInOperation.END && times-- > 0) fault else null }
            assertContentEquals(key, open())
        }
    }

    @Test
    @Config(sdk = [27, 35])
    fun a_key_that_the_keystore_has_invalidated_is_lost() {
        used()
        val faults = listOf(StandInOperation.BEGIN to KeystoreFaults::invalidated, StandInOperation.FIND to KeystoreFaults::invalidatedBelow)
        for ((operation, fault) in faults) {
            keystore.fault = KeystoreFaults.ofOldKeys(operation, fault)
            assertLost(keyFile().open())
        }
    }

    @Test
    fun a_lost_key_is_lost_though_the_keystore_deletes_none() {
        used()
        keystore.loseKeys()
        failing(StandInOperation.DELETE, NullPointerException("stand-in")) { assertLost(keyFile().open()) }
    }

    @Test
    fun giving_up_a_vault_fails_without_taking_its_key_away() {
        val key = used()
        val make = if (android.os.Build.VERSION.SDK_INT >= 23) StandInOperation.MAKE_AES else StandInOperation.MAKE_RSA
        failing(make, IllegalStateException("stand-in")) { what -> assertUnavailable(keyFile().replace(), what) }
        assertContentEquals(key, open())
    }

    @Test
    fun whoever_is_interrupted_does_not_wait_for_the_keystore() {
        used()
        keystore.busy = Int.MAX_VALUE
        val key = keyFile { throw InterruptedException() }.open()
        assertTrue(Thread.interrupted(), "the interruption is passed on")
        assertUnavailable(key, "interrupted")
    }

    @Test
    fun no_fault_has_a_media_key_s_pair_exchanged_and_each_passes() {
        val pem = assertNotNull(media.publicKeyPem())
        val secret = ByteArray(16) { it.toByte() }
        val encrypted = encrypted(secret)
        for ((operation, fault) in KeystoreFaults.passing) {
            if (operation == StandInOperation.MAKE_AES || operation == StandInOperation.MAKE_RSA) continue
            failing(operation, fault) { what ->
                if (operation == StandInOperation.LOAD || operation == StandInOperation.FIND) assertUnavailable(what) { media.publicKeyPem() }
                assertUnavailable(what) { media.decrypt(encrypted) }
            }
            assertEquals(pem, media.publicKeyPem())
            assertContentEquals(secret, media.decrypt(encrypted))
        }
    }

    @Test
    fun no_fault_has_a_key_that_is_to_be_adopted_lost_or_unfit_and_each_passes() {
        keystore.put("device", StandInKey())
        val adopted = MediaKey(context, "device", isAdopted = true) {}
        val pem = adopted.takeOver()
        for ((operation, fault) in KeystoreFaults.passing) {
            if (operation == StandInOperation.MAKE_AES || operation == StandInOperation.MAKE_RSA) continue
            failing(operation, fault) { what -> assertUnavailable(what) { adopted.takeOver() } }
            assertEquals(pem, adopted.takeOver())
        }
    }

    @Test
    @Config(sdk = [27, 35])
    fun a_key_to_adopt_that_the_keystore_has_invalidated_is_lost() {
        keystore.put("device", StandInKey())
        keystore.fault = KeystoreFaults.ofOldKeys(StandInOperation.BEGIN, KeystoreFaults::invalidated)
        val adopted = MediaKey(context, "device", isAdopted = true) {}
        assertEquals(ErrorCode.KEY_LOST, assertFailsWith<VaultException> { adopted.takeOver() }.code)
    }

    @Test
    @Config(sdk = [27, 35])
    fun a_keystore_that_works_and_makes_no_rsa_leaves_it_to_the_native_library() {
        for ((operation, fault) in KeystoreFaults.passing) {
            if (operation == StandInOperation.MAKE_RSA) failing(operation, fault) { what -> assertNull(media.publicKeyPem(), what) }
        }
    }

    @Test
    fun a_media_key_that_was_lost_or_exchanged_is_told_from_one_that_the_server_did_not_use() {
        media.publicKeyPem()
        val encrypted = encrypted(ByteArray(16))
        assertFailsWith<OtherKeyException> { media.decrypt(encrypted.copyOf(encrypted.size - 1)) }
        keystore.exchangeKeys()
        assertFailsWith<OtherKeyException> { media.decrypt(encrypted) }
        keystore.loseKeys()
        assertEquals(ErrorCode.KEY_LOST, assertFailsWith<VaultException> { media.decrypt(encrypted) }.code)
    }
}
