package io.gatehand.internal.keystore

import android.annotation.TargetApi
import android.os.Build
import android.security.keystore.BackendBusyException
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.StrongBoxUnavailableException
import android.security.keystore.UserNotAuthenticatedException
import io.gatehand.testing.StandInOperation
import java.io.IOException
import java.security.InvalidKeyException
import java.security.KeyStoreException
import java.security.NoSuchAlgorithmException
import java.security.ProviderException
import java.security.UnrecoverableKeyException
import java.security.cert.CertificateException
import javax.crypto.AEADBadTagException
import javax.crypto.BadPaddingException
import javax.crypto.IllegalBlockSizeException

/** What Keystores of real devices are known to throw. */
internal object KeystoreFaults {
    /** Each with the operation that it comes from; none of them says that a key is lost. */
    val passing: List<Pair<StandInOperation, Throwable>> = StandInOperation.entries.filter { it != StandInOperation.DELETE }.flatMap { operation ->
        (everywhere() + of(operation) + if (Build.VERSION.SDK_INT >= 23) Newer.passing(operation) else emptyList()).map { operation to it }
    }

    private fun everywhere() = listOf(
        ProviderException("stand-in: keystore operation failed"),
        IllegalStateException("stand-in: service"),
        IllegalArgumentException("stand-in: vendor"),
        NullPointerException("stand-in: vendor"),
        SecurityException("stand-in: vendor"),
        AssertionError(IllegalStateException("stand-in: dead service")),
    )

    private fun of(operation: StandInOperation): List<Throwable> = when (operation) {
        StandInOperation.LOAD -> listOf(IOException("stand-in"), CertificateException("stand-in"), NoSuchAlgorithmException("stand-in"))
        StandInOperation.FIND -> listOf(
            KeyStoreException("stand-in: invalid key blob"),
            UnrecoverableKeyException("stand-in: failed to obtain information about key").apply { initCause(KeyStoreException("stand-in")) },
        )
        StandInOperation.BEGIN -> listOf(InvalidKeyException("stand-in: keystore operation failed"))
        StandInOperation.END -> listOf(IllegalBlockSizeException("stand-in"), BadPaddingException("stand-in"), AEADBadTagException("stand-in"))
        StandInOperation.MAKE_AES, StandInOperation.MAKE_RSA, StandInOperation.DELETE -> emptyList()
    }

    /** A fault of the keys that are there, but not of one that is made from now on. */
    fun ofOldKeys(at: StandInOperation, fault: () -> Throwable): (StandInOperation) -> Throwable? {
        var isNew = false
        return { operation ->
            when (operation) {
                StandInOperation.MAKE_AES, StandInOperation.MAKE_RSA -> isNew = true
                StandInOperation.DELETE -> isNew = false
                else -> Unit
            }
            if (operation == at && !isNew) fault() else null
        }
    }

    fun invalidated(): Throwable = Newer.invalidated()

    fun invalidatedBelow(): Throwable = UnrecoverableKeyException("stand-in").apply { initCause(Newer.invalidated()) }

    /** Apart, as Android 5 has no such classes. */
    @TargetApi(Build.VERSION_CODES.S)
    private object Newer {
        fun passing(operation: StandInOperation): List<Throwable> = listOfNotNull(
            UserNotAuthenticatedException("stand-in: locked").takeIf { operation == StandInOperation.BEGIN },
            StrongBoxUnavailableException("stand-in").takeIf { Build.VERSION.SDK_INT >= Build.VERSION_CODES.P },
            BackendBusyException(1L).takeIf { Build.VERSION.SDK_INT >= Build.VERSION_CODES.S },
        )

        fun invalidated(): Throwable = KeyPermanentlyInvalidatedException("stand-in")
    }
}
