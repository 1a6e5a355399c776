package io.gatehand.internal.keystore

import android.annotation.TargetApi
import android.os.Build
import android.security.keystore.KeyPermanentlyInvalidatedException
import io.gatehand.ErrorCode
import io.gatehand.VaultException
import javax.crypto.BadPaddingException

/** What a failure of the Keystore means. Nothing else leaves this package. */
internal sealed class KeystoreException(message: String, cause: Throwable?) : Exception(message, cause) {
    internal companion object {
        /** Causes further down than this are not looked at, nor is a circle of them. */
        private const val DEPTH = 8

        /**
         * The meaning of whatever the Keystore threw. Only two kinds say something of the key: that it was
         * invalidated, and that it does not open what it was given. All else may pass, whatever its name
         * says: a Keystore that is locked, busy or just starting answers with UnrecoverableKeyException,
         * InvalidKeyException, IllegalBlockSizeException, ProviderException, NullPointerException and more.
         */
        fun of(failure: Throwable): KeystoreException {
            if (failure is KeystoreException) return failure
            val chain = generateSequence(failure) { it.cause }.take(DEPTH)
            return when {
                chain.any(::isInvalidated) -> KeyGoneException("the Keystore has invalidated its key", failure)
                // AEADBadTagException is one.
                failure is BadPaddingException -> OtherKeyException("the Keystore's key does not open this", failure)
                else -> KeystoreUnavailableException("the Keystore failed", failure)
            }
        }

        private fun isInvalidated(failure: Throwable): Boolean =
            Build.VERSION.SDK_INT >= Build.VERSION_CODES.M && FromAndroid6.isInvalidated(failure)
    }
}

/** The Keystore's key is not there any more, or of no use for good. */
internal class KeyGoneException(message: String, cause: Throwable? = null) : KeystoreException(message, cause)

/** The Keystore's key is not the one that this was encrypted to. */
internal class OtherKeyException(message: String, cause: Throwable? = null) : KeystoreException(message, cause)

/** The Keystore has the key, which is not one that can be used for this. */
internal class KeyUnfitException(message: String) : KeystoreException(message, null)

/** The Keystore does not do what it should. Nothing is known of the key, and it may pass. */
internal class KeystoreUnavailableException(message: String, cause: Throwable? = null) : KeystoreException(message, cause) {
    /** The same for the app. */
    fun forApp(): VaultException {
        val message = "the Android Keystore does not answer as it should: try again, and restart the device if that does not help"
        return VaultException(ErrorCode.KEYSTORE_UNAVAILABLE, message, this)
    }
}

/** Apart, as Android 5 has no such class. */
@TargetApi(Build.VERSION_CODES.M)
private object FromAndroid6 {
    fun isInvalidated(failure: Throwable): Boolean = failure is KeyPermanentlyInvalidatedException
}
