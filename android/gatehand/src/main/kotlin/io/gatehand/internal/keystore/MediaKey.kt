package io.gatehand.internal.keystore

import android.content.Context
import android.util.Base64
import io.gatehand.ErrorCode
import io.gatehand.VaultException
import java.security.KeyStore
import java.security.PublicKey
import java.security.interfaces.RSAKey

/**
 * The RSA key pair that the server encrypts NFC media keys to, held by the Keystore.
 *
 * A Keystore that works but can't make it is no reason to do without NFC: the native library then makes
 * a pair of its own, whose private half is sealed in the vault. One that does not answer is: it may hold
 * the pair that the server knows, which takes no other.
 *
 * @param isAdopted Whether the app has made it, before it used gatehand. Then it is never made here: the server takes
 *   no other.
 * @param pause Waits between two tries at a Keystore that is busy.
 */
internal class MediaKey(
    private val context: Context,
    private val alias: String,
    private val isAdopted: Boolean = false,
    private val pause: (Long) -> Unit = Thread::sleep,
) {
    /**
     * The public half as PEM, of a new pair if there is none; `null` if the Keystore can't have one.
     *
     * @throws VaultException The Keystore is unavailable, or has not the pair any more that was adopted.
     */
    fun publicKeyPem(): String? =
        try {
            val there = try {
                asking { pair() }.certificate.publicKey
            } catch (gone: KeyGoneException) {
                if (isAdopted) throw gone
                null
            }
            (there ?: make())?.let(::pem)
        } catch (failed: KeystoreException) {
            throw forApp(failed)
        }

    /**
     * The public half as PEM of a pair that is to be adopted, once it has shown that it decrypts.
     *
     * @throws VaultException It is not there, can't be used for this, or the Keystore is unavailable.
     */
    fun takeOver(): String =
        try {
            asking { KeyFitness.pair(alias).certificate.publicKey.also { tryOut() } }.let(::pem)
        } catch (unfit: KeyUnfitException) {
            val message = "${unfit.message}, so nothing was adopted: adopt without it, and NFC media need a new device"
            throw VaultException(ErrorCode.MEDIA_KEY_UNUSABLE, message, unfit)
        } catch (gone: KeyGoneException) {
            val message = "the Android Keystore has no key $alias, or can't use it any more, so nothing was adopted: " +
                "adopt without it, and NFC media need a new device"
            throw VaultException(ErrorCode.KEY_LOST, message, gone)
        } catch (failed: KeystoreException) {
            throw forApp(failed)
        }

    /**
     * What was encrypted to the public half.
     *
     * @throws OtherKeyException It was encrypted to another one.
     * @throws VaultException The pair is not there any more, or the Keystore is unavailable.
     */
    fun decrypt(encrypted: ByteArray): ByteArray =
        try {
            asking {
                val pair = pair()
                if (encrypted.size != length(pair)) throw OtherKeyException("this is not of the key's length")
                RsaKeys.decrypt(pair.privateKey, encrypted)
            }
        } catch (other: OtherKeyException) {
            throw other
        } catch (failed: KeystoreException) {
            throw forApp(failed)
        }

    private fun make(): PublicKey? =
        try {
            Keystore.patiently(pause) { Keystore.ask { RsaKeys.make(context, alias).public } }
        } catch (_: KeystoreException) {
            // It has just shown that it works: RSA is what it has not.
            null
        }

    private fun <T> asking(work: () -> T): T = Keystore.patiently(pause) {
        Keystore.surely({ KeystoreWrapper.tryOut(context) }, ::tryOut) { Keystore.ask(work) }
    }

    private fun tryOut() {
        val trial = ByteArray(TRIAL_LENGTH) { it.toByte() }
        val opened = Keystore.ask { pair().let { RsaKeys.decrypt(it.privateKey, RsaKeys.encrypt(it.certificate.publicKey, trial)) } }
        if (!opened.contentEquals(trial)) throw KeystoreUnavailableException("the Keystore opens something else than was encrypted")
    }

    private fun pair(): KeyStore.PrivateKeyEntry =
        RsaKeys.load(alias) ?: throw KeyGoneException("the Keystore has no key for NFC media")

    private fun length(pair: KeyStore.PrivateKeyEntry): Int =
        ((pair.certificate.publicKey as RSAKey).modulus.bitLength() + Byte.SIZE_BITS - 1) / Byte.SIZE_BITS

    private fun forApp(failed: KeystoreException): VaultException {
        if (failed is KeystoreUnavailableException) return failed.forApp()
        val message = "the Android Keystore has lost the key that NFC media keys are encrypted to: enrol this device again"
        return VaultException(ErrorCode.KEY_LOST, message, failed)
    }

    private fun pem(key: PublicKey): String =
        "-----BEGIN PUBLIC KEY-----\n${Base64.encodeToString(key.encoded, Base64.DEFAULT).trim()}\n-----END PUBLIC KEY-----\n"

    private companion object {
        const val TRIAL_LENGTH = 32
    }
}
