package io.gatehand.internal.keystore

import io.gatehand.ErrorCode
import io.gatehand.VaultException
import io.gatehand.testing.StandInKey
import io.gatehand.testing.StandInKeystore
import java.security.KeyFactory
import java.security.spec.X509EncodedKeySpec
import java.util.Base64
import javax.crypto.Cipher
import kotlin.test.BeforeTest
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
class MediaKeyTest {
    private lateinit var keystore: StandInKeystore
    private val key = MediaKey(RuntimeEnvironment.getApplication(), "media")

    @BeforeTest
    fun start() {
        keystore = StandInKeystore.reset()
    }

    @Test
    fun what_a_server_encrypts_to_the_public_key_opens() {
        val pem = assertNotNull(key.publicKeyPem())
        val encoded = Base64.getMimeDecoder().decode(
            pem.removePrefix("-----BEGIN PUBLIC KEY-----\n").removeSuffix("-----END PUBLIC KEY-----\n"),
        )
        val public = KeyFactory.getInstance("RSA").generatePublic(X509EncodedKeySpec(encoded))
        val secret = ByteArray(16) { it.toByte() }
        val encrypted = Cipher.getInstance("RSA/ECB/PKCS1Padding").run {
            init(Cipher.ENCRYPT_MODE, public)
            doFinal(secret)
        }
        assertContentEquals(secret, key.decrypt(encrypted))
    }

    @Test
    fun the_pair_is_made_once() {
        assertEquals(key.publicKeyPem(), key.publicKeyPem())
        assertEquals(setOf("media"), keystore.aliases)
    }

    private fun adopted() = MediaKey(RuntimeEnvironment.getApplication(), "device", isAdopted = true) {}

    private fun refusal(): VaultException = assertFailsWith { adopted().takeOver() }

    @Test
    fun a_pair_that_the_app_has_made_opens_what_is_encrypted_to_it_and_none_is_made_beside_it() {
        for (bits in listOf(1024, 2048, 4096)) {
            keystore.put("device", StandInKey(bits = bits))
            val encoded = Base64.getMimeDecoder().decode(adopted().takeOver().lines().filter { it.firstOrNull() != '-' }.joinToString(""))
            assertContentEquals(keystore.publicKey("device").encoded, encoded)
            assertEquals(adopted().takeOver(), adopted().publicKeyPem())
            val secret = ByteArray(16) { it.toByte() }
            assertContentEquals(secret, adopted().decrypt(keystore.encrypt("device", secret)))
        }
        assertEquals(setOf("device"), keystore.aliases)
    }

    @Test
    fun an_alias_without_a_key_is_lost_and_one_of_a_keystore_that_is_away_is_not() {
        assertEquals(ErrorCode.KEY_LOST, refusal().code)
        assertEquals(ErrorCode.KEY_LOST, assertFailsWith<VaultException> { adopted().publicKeyPem() }.code)
        assertEquals(emptySet(), keystore.aliases, "a pair was made in its place")
        keystore.put("device", StandInKey())
        keystore.isAway = true
        assertEquals(ErrorCode.KEYSTORE_UNAVAILABLE, refusal().code)
        assertTrue(refusal().isTemporary)
        keystore.isAway = false
        adopted().takeOver()
    }

    @Test
    fun a_key_that_is_no_rsa_pair_or_too_short_is_not_fit() {
        val keys = mapOf("AES" to StandInKey("AES"), "EC" to StandInKey("EC", bits = 256), "512 bits" to StandInKey(bits = 512))
        for ((what, key) in keys) {
            keystore.put("device", key)
            assertEquals(ErrorCode.MEDIA_KEY_UNUSABLE to false, refusal().let { it.code to it.isTemporary }, what)
            assertTrue("device" in refusal().message && "nothing was adopted" in refusal().message, refusal().message)
        }
    }

    @Test
    @Config(sdk = [27, 35])
    fun a_pair_that_is_made_for_something_else_is_not_fit() {
        val sign = 4
        val keys = mapOf(
            "not made for decrypting" to StandInKey(purposes = sign), "no PKCS#1 padding" to StandInKey(padding = "OAEPPadding"),
            "the user's authentication" to StandInKey(asksUser = true), "past the end" to StandInKey(endsAtMillis = 1000),
        )
        for ((why, key) in keys) {
            keystore.put("device", key)
            assertEquals(ErrorCode.MEDIA_KEY_UNUSABLE, refusal().code, why)
            assertTrue(why in refusal().message, refusal().message)
        }
        keystore.put("device", StandInKey(endsAtMillis = Long.MAX_VALUE))
        adopted().takeOver()
    }
}
