package io.gatehand.internal.keystore

import java.io.IOException
import java.security.KeyStore
import java.security.KeyStoreException

/** Wraps a vault's key with a key that never leaves the Android Keystore. */
internal interface KeystoreWrapper {
    /** Name of the method in the file with the wrapped key. */
    val method: String

    /** Makes the Keystore's key. */
    fun makeKey(alias: String)

    /** Wraps [key] for [purpose]. */
    fun wrap(alias: String, purpose: ByteArray, key: ByteArray): ByteArray

    /**
     * Undoes [wrap].
     *
     * @throws KeyGoneException The Keystore has no such key, or another one.
     */
    fun unwrap(alias: String, purpose: ByteArray, wrapped: ByteArray): ByteArray

    companion object {
        const val PROVIDER = "AndroidKeyStore"

        fun keystore(): KeyStore =
            try {
                KeyStore.getInstance(PROVIDER).apply { load(null) }
            } catch (error: IOException) {
                throw KeyStoreException("the Keystore can't be loaded", error)
            }
    }
}

/** The Keystore's key is not there, or does not open what was wrapped. Trying again would not help. */
internal class KeyGoneException(message: String, cause: Throwable? = null) : Exception(message, cause)
