package io.gatehand.internal.keystore

import io.gatehand.testing.StandInKeystore
import java.security.KeyFactory
import java.security.spec.X509EncodedKeySpec
import java.util.Base64
import javax.crypto.Cipher
import kotlin.test.BeforeTest
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

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
}
