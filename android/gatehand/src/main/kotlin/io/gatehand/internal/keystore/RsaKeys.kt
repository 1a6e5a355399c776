package io.gatehand.internal.keystore

import android.annotation.TargetApi
import android.content.Context
import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import java.math.BigInteger
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.util.Calendar
import java.util.Locale
import javax.security.auth.x500.X500Principal

/** Makes RSA key pairs in the Keystore. */
internal object RsaKeys {
    const val TRANSFORMATION = "RSA/ECB/PKCS1Padding"
    const val BITS = 2048
    private const val YEARS = 50

    /** A pair that decrypts, made in the way that this Android has. */
    fun make(context: Context, alias: String): KeyPair =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.M) makeFromAndroid6(alias) else makeForAndroid5(context, alias)

    @TargetApi(Build.VERSION_CODES.M)
    private fun makeFromAndroid6(alias: String): KeyPair {
        val spec = KeyGenParameterSpec.Builder(alias, KeyProperties.PURPOSE_DECRYPT)
            .setKeySize(BITS)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_RSA_PKCS1)
            .setUserAuthenticationRequired(false)
            .build()
        return KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_RSA, KeystoreWrapper.PROVIDER).run {
            initialize(spec)
            generateKeyPair()
        }
    }

    @Suppress("DEPRECATION") // Android 5 has no other way.
    fun makeForAndroid5(context: Context, alias: String): KeyPair {
        val start = Calendar.getInstance()
        val end = Calendar.getInstance().apply { add(Calendar.YEAR, YEARS) }
        val spec = android.security.KeyPairGeneratorSpec.Builder(context)
            .setAlias(alias)
            .setKeySize(BITS)
            .setSubject(X500Principal("CN=gatehand"))
            .setSerialNumber(BigInteger.ONE)
            .setStartDate(start.time)
            .setEndDate(end.time)
            .build()
        return inEnglish {
            KeyPairGenerator.getInstance("RSA", KeystoreWrapper.PROVIDER).run {
                initialize(spec)
                generateKeyPair()
            }
        }
    }

    /** Android 5 writes the certificate's dates in the digits of the locale, and then can't read them. */
    private fun <T> inEnglish(work: () -> T): T {
        val locale = Locale.getDefault()
        Locale.setDefault(Locale.ENGLISH)
        try {
            return work()
        } finally {
            Locale.setDefault(locale)
        }
    }
}
