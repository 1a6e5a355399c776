package io.gatehand.internal.keystore

import android.content.Context
import android.util.Base64
import java.security.GeneralSecurityException
import java.security.KeyStore
import java.security.ProviderException
import java.security.PublicKey
import javax.crypto.Cipher

/**
 * The RSA key pair that the server encrypts NFC media keys to, held by the Keystore.
 *
 * A Keystore that can't have it is no reason to do without NFC: the native library then makes a
 * pair of its own, whose private half is sealed in the vault.
 */
internal class MediaKey(private val context: Context, private val alias: String) {
    /** The public half as PEM, of a new pair if there is none; `null` if the Keystore can't have one. */
    fun publicKeyPem(): String? =
        try {
            pem(load()?.certificate?.publicKey ?: make())
        } catch (_: GeneralSecurityException) {
            null
        } catch (_: ProviderException) {
            null
        }

    /**
     * What was encrypted to the public half.
     *
     * @throws KeyGoneException The pair is not there any more.
     */
    fun decrypt(encrypted: ByteArray): ByteArray {
        val pair = load() ?: throw KeyGoneException("the Keystore has no key for NFC media")
        return Cipher.getInstance(RsaKeys.TRANSFORMATION).run {
            init(Cipher.DECRYPT_MODE, pair.privateKey)
            doFinal(encrypted)
        }
    }

    private fun make(): PublicKey = RsaKeys.make(context, alias).public

    private fun load() = KeystoreWrapper.keystore().getEntry(alias, null) as? KeyStore.PrivateKeyEntry

    private fun pem(key: PublicKey): String =
        "-----BEGIN PUBLIC KEY-----\n${Base64.encodeToString(key.encoded, Base64.DEFAULT).trim()}\n-----END PUBLIC KEY-----\n"
}
