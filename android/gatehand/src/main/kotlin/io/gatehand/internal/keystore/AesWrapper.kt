package io.gatehand.internal.keystore

import android.annotation.TargetApi
import android.content.Context
import android.content.pm.PackageManager
import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/** AES-GCM by the Keystore, in the StrongBox where there is one. From Android 6 on. */
@TargetApi(Build.VERSION_CODES.M)
internal class AesWrapper(private val context: Context) : KeystoreWrapper {
    override val method = "AES/GCM"

    override fun makeKey(alias: String, best: Boolean) {
        if (best && hasStrongBox()) {
            try {
                generate(alias, strongBox = true)
                // Some make a key and then can't use it.
                tryOut(alias)
                return
            } catch (_: KeystoreException) {
                // The StrongBox is full or broken; the processor's own keystore is still better than none.
            }
        }
        generate(alias, strongBox = false)
    }

    override fun wrap(alias: String, purpose: ByteArray, key: ByteArray): ByteArray = Keystore.ask {
        val cipher = Cipher.getInstance(TRANSFORMATION)
        // The Keystore chooses the nonce and refuses one from outside.
        cipher.init(Cipher.ENCRYPT_MODE, load(alias))
        cipher.updateAAD(purpose)
        val sealed = cipher.doFinal(key)
        check(cipher.iv.size == NONCE_LENGTH) { "the Keystore chose a nonce of ${cipher.iv.size} bytes" }
        cipher.iv + sealed
    }

    override fun unwrap(alias: String, purpose: ByteArray, wrapped: ByteArray): ByteArray = Keystore.ask {
        if (wrapped.size <= NONCE_LENGTH) throw KeyGoneException("the wrapped key is cut short")
        val cipher = Cipher.getInstance(TRANSFORMATION)
        cipher.init(Cipher.DECRYPT_MODE, load(alias), GCMParameterSpec(TAG_BITS, wrapped, 0, NONCE_LENGTH))
        cipher.updateAAD(purpose)
        cipher.doFinal(wrapped, NONCE_LENGTH, wrapped.size - NONCE_LENGTH)
    }

    private fun load(alias: String): SecretKey =
        Keystore.store().getKey(alias, null) as? SecretKey ?: throw KeyGoneException("the Keystore has no key of this name")

    private fun hasStrongBox(): Boolean = Build.VERSION.SDK_INT >= Build.VERSION_CODES.P &&
        context.packageManager.hasSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE)

    @TargetApi(Build.VERSION_CODES.P)
    private fun generate(alias: String, strongBox: Boolean): Unit = Keystore.ask {
        val spec = KeyGenParameterSpec.Builder(alias, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .setKeySize(KEY_BITS)
            .setRandomizedEncryptionRequired(true)
            .setUserAuthenticationRequired(false)
        if (strongBox) spec.setIsStrongBoxBacked(true)
        KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, Keystore.PROVIDER).run {
            init(spec.build())
            generateKey()
        }
    }

    private companion object {
        const val TRANSFORMATION = "AES/GCM/NoPadding"
        const val KEY_BITS = 256
        const val NONCE_LENGTH = 12
        const val TAG_BITS = 128
    }
}
