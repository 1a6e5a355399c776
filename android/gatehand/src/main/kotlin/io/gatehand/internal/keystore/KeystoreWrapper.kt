package io.gatehand.internal.keystore

import android.content.Context
import android.os.Build

/** Wraps a vault's key with a key that never leaves the Android Keystore. What fails is a [KeystoreException]. */
internal interface KeystoreWrapper {
    /** Name of the method in the file with the wrapped key. */
    val method: String

    /** Makes the Keystore's key, in the [best] place that the device has or in the usual one. */
    fun makeKey(alias: String, best: Boolean = true)

    /** Wraps [key] for [purpose]. */
    fun wrap(alias: String, purpose: ByteArray, key: ByteArray): ByteArray

    /**
     * Undoes [wrap].
     *
     * @throws KeyGoneException The Keystore has no such key, or what was wrapped is damaged.
     * @throws OtherKeyException The Keystore has another key of this name.
     */
    fun unwrap(alias: String, purpose: ByteArray, wrapped: ByteArray): ByteArray

    companion object {
        private const val TRIAL_ALIAS = "io.gatehand.trial"

        /** The way of this Android. The class with AES names classes that Android 5 has not, so it is not loaded there. */
        fun newest(context: Context): KeystoreWrapper =
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.M) AesWrapper(context) else RsaWrapper(context)

        /** Makes a key of no use, uses it and deletes it: only a Keystore that works can. */
        @Synchronized
        fun tryOut(context: Context) {
            val wrapper = newest(context)
            try {
                wrapper.makeKey(TRIAL_ALIAS, best = false)
                wrapper.tryOut(TRIAL_ALIAS)
            } finally {
                Keystore.forget(TRIAL_ALIAS)
            }
        }
    }
}

/** Wraps something that is no secret, and has it back. */
internal fun KeystoreWrapper.tryOut(alias: String) {
    val trial = ByteArray(VaultKey.LENGTH)
    if (!unwrap(alias, trial, wrap(alias, trial, trial)).contentEquals(trial)) {
        throw KeystoreUnavailableException("the Keystore does not give back what it wrapped")
    }
}
