package io.gatehand.internal.keystore

import java.security.KeyStore

/** The way to the Android Keystore: each call of it goes through [ask]. */
internal object Keystore {
    const val PROVIDER = "AndroidKeyStore"
    private val PAUSES = longArrayOf(50, 200, 500)

    /**
     * Does what asks the Keystore, whose own exceptions end here.
     *
     * @throws KeystoreException It failed.
     */
    fun <T> ask(work: () -> T): T =
        try {
            work()
        } catch (failure: Exception) {
            throw KeystoreException.of(failure)
        } catch (away: AssertionError) {
            // Until Android 11 the Keystore's client throws it when the service died.
            throw KeystoreException.of(away)
        }

    /** The store of keys; to be used within [ask]. */
    fun store(): KeyStore = KeyStore.getInstance(PROVIDER).apply { load(null) }

    /** Deletes a key that wraps nothing. If that fails it stays, and does no harm. */
    fun forget(alias: String) {
        try {
            ask { store().deleteEntry(alias) }
        } catch (_: KeystoreException) {
            // As said.
        }
    }

    /**
     * Does [work] again while the Keystore is unavailable, as it is when busy or just starting.
     *
     * @param pause Waits for some milliseconds.
     */
    fun <T> patiently(pause: (Long) -> Unit, work: () -> T): T {
        for (wait in PAUSES) {
            try {
                return work()
            } catch (unavailable: KeystoreUnavailableException) {
                try {
                    pause(wait)
                } catch (_: InterruptedException) {
                    // Whoever interrupts does not want to wait.
                    Thread.currentThread().interrupt()
                    throw unavailable
                }
            }
        }
        return work()
    }

    /**
     * Does [work], and believes that a key is gone, or another one, only of a Keystore that works: until
     * Android 11 one whose service is away has no keys, and some open nothing for a while.
     *
     * @param makeAndUse Makes a key and uses it.
     * @param use Uses the key that is there for something else.
     */
    fun <T> surely(makeAndUse: () -> Unit, use: () -> Unit, work: () -> T): T {
        try {
            return work()
        } catch (_: KeyGoneException) {
            proving(makeAndUse)
        } catch (_: OtherKeyException) {
            proving(use)
        }
        return work()
    }

    private fun proving(trial: () -> Unit) {
        try {
            trial()
        } catch (failed: KeystoreException) {
            throw failed as? KeystoreUnavailableException ?: KeystoreUnavailableException("the Keystore can't use its keys", failed)
        }
    }
}
