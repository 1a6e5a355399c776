package io.gatehand.internal.keystore

import android.annotation.TargetApi
import android.content.Context
import android.content.pm.PackageManager
import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import java.security.GeneralSecurityException
import java.security.ProviderException
import java.security.UnrecoverableKeyException
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/** AES-GCM by the Keystore, in the StrongBox where there is one. From Android 6 on. */
@TargetApi(Build.VERSION_CODES.M)
internal class AesWrapper(private val context: Context) : KeystoreWrapper {
    override val method = "AES/GCM"

    override fun makeKey(alias: String) {
        if (hasStrongBox()) {
            try {
                generate(alias, strongBox = true)
                // Some make a key and then can't use it.
                if (unwrap(alias, TRIAL, wrap(alias, TRIAL, TRIAL)).contentEquals(TRIAL)) return
            } catch (_: ProviderException) {
                // The StrongBox is full or broken; the processor's own keystore is still better than none.
            } catch (_: GeneralSecurityException) {
                // The same.
            } catch (_: KeyGoneException) {
                // The same.
            }
        }
        generate(alias, strongBox = false)
    }

    override fun wrap(alias: String, purpose: ByteArray, key: ByteArray): ByteArray {
        val cipher = Cipher.getInstance(TRANSFORMATION)
        // The Keystore chooses the nonce and refuses one from outside.
        cipher.init(Cipher.ENCRYPT_MODE, load(alias))
        cipher.updateAAD(purpose)
        val sealed = cipher.doFinal(key)
        check(cipher.iv.size == NONCE_LENGTH) { "the Keystore chose a nonce of ${cipher.iv.size} bytes" }
        return cipher.iv + sealed
    }

    override fun unwrap(alias: String, purpose: ByteArray, wrapped: ByteArray): ByteArray {
        if (wrapped.size <= NONCE_LENGTH) throw KeyGoneException("the wrapped key is cut short")
        val cipher = Cipher.getInstance(TRANSFORMATION)
        try {
            cipher.init(Cipher.DECRYPT_MODE, load(alias), GCMParameterSpec(TAG_BITS, wrapped, 0, NONCE_LENGTH))
            cipher.updateAAD(purpose)
            return cipher.doFinal(wrapped, NONCE_LENGTH, wrapped.size - NONCE_LENGTH)
        } catch (other: AEADBadTagException) {
            throw KeyGoneException("the Keystore has another key than the one that wrapped the vault's", other)
        } catch (invalidated: KeyPermanentlyInvalidatedException) {
            throw KeyGoneException("the Keystore has invalidated its key", invalidated)
        }
    }

    private fun load(alias: String): SecretKey =
        try {
            KeystoreWrapper.keystore().getKey(alias, null) as? SecretKey
        } catch (broken: UnrecoverableKeyException) {
            // Also what a Keystore says that is only busy.
            if (broken.cause !is KeyPermanentlyInvalidatedException) throw broken
            throw KeyGoneException("the Keystore has invalidated its key", broken)
        } ?: throw KeyGoneException("the Keystore has no key of this name")

    private fun hasStrongBox(): Boolean = Build.VERSION.SDK_INT >= Build.VERSION_CODES.P &&
        context.packageManager.hasSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE)

    @TargetApi(Build.VERSION_CODES.P)
    private fun generate(alias: String, strongBox: Boolean) {
        val spec = KeyGenParameterSpec.Builder(alias, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .setKeySize(KEY_BITS)
            .setRandomizedEncryptionRequired(true)
            .setUserAuthenticationRequired(false)
        if (strongBox) spec.setIsStrongBoxBacked(true)
        KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, KeystoreWrapper.PROVIDER).run {
            init(spec.build())
            generateKey()
        }
    }

    private companion object {
        val TRIAL = ByteArray(1)
        const val TRANSFORMATION = "AES/GCM/NoPadding"
        const val KEY_BITS = 256
        const val NONCE_LENGTH = 12
        const val TAG_BITS = 128
    }
}
