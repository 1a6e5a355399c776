package io.gatehand.benchmark

import android.content.Context
import java.util.Base64
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/**
 * How an app without the agent keeps its API key: encrypted in its preferences. The key that encrypts
 * it is the JDK's here; on a device it is the Keystore's, whose every use is a call to another process.
 */
internal class KeyInJava(context: Context, key: String) {
    private val preferences = context.getSharedPreferences("benchmark", Context.MODE_PRIVATE)
    private val secret: SecretKey = KeyGenerator.getInstance("AES").apply { init(KEY_BITS) }.generateKey()

    init {
        val cipher = cipher().apply { init(Cipher.ENCRYPT_MODE, secret) }
        val sealed = cipher.iv + cipher.doFinal(key.encodeToByteArray())
        preferences.edit().putString(NAME, Base64.getEncoder().encodeToString(sealed)).commit()
        check(read() == key)
    }

    fun read(): String {
        val sealed = Base64.getDecoder().decode(preferences.getString(NAME, null))
        val cipher = cipher().apply { init(Cipher.DECRYPT_MODE, secret, GCMParameterSpec(TAG_BITS, sealed, 0, NONCE_LENGTH)) }
        return cipher.doFinal(sealed, NONCE_LENGTH, sealed.size - NONCE_LENGTH).decodeToString()
    }

    private fun cipher() = Cipher.getInstance("AES/GCM/NoPadding", "SunJCE")

    private companion object {
        const val NAME = "api_token"
        const val KEY_BITS = 256
        const val TAG_BITS = 128
        const val NONCE_LENGTH = 12
    }
}
