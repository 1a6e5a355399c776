package io.gatehand.internal.keystore

import android.annotation.TargetApi
import android.content.Context
import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import java.math.BigInteger
import java.security.KeyFactory
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.KeyStore
import java.security.PrivateKey
import java.security.PublicKey
import java.security.spec.X509EncodedKeySpec
import java.util.Calendar
import java.util.Locale
import javax.crypto.Cipher
import javax.security.auth.x500.X500Principal

/** RSA key pairs in the Keystore; all of it to be used within [Keystore.ask]. */
internal object RsaKeys {
    const val BITS = 2048
    private const val TRANSFORMATION = "RSA/ECB/PKCS1Padding"
    private const val YEARS = 50

    /** A pair that decrypts, made in the way that this Android has. */
    fun make(context: Context, alias: String): KeyPair =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.M) makeFromAndroid6(alias) else makeForAndroid5(context, alias)

    fun load(alias: String): KeyStore.PrivateKeyEntry? = Keystore.store().getEntry(alias, null) as? KeyStore.PrivateKeyEntry

    fun encrypt(key: PublicKey, plain: ByteArray): ByteArray = Cipher.getInstance(TRANSFORMATION).run {
        // As a key like any other: the Keystore would ask whether its pair is made for encrypting.
        init(Cipher.ENCRYPT_MODE, KeyFactory.getInstance(key.algorithm).generatePublic(X509EncodedKeySpec(key.encoded)))
        doFinal(plain)
    }

    fun decrypt(key: PrivateKey, encrypted: ByteArray): ByteArray = Cipher.getInstance(TRANSFORMATION).run {
        init(Cipher.DECRYPT_MODE, key)
        doFinal(encrypted)
    }

    @TargetApi(Build.VERSION_CODES.M)
    private fun makeFromAndroid6(alias: String): KeyPair {
        val spec = KeyGenParameterSpec.Builder(alias, KeyProperties.PURPOSE_DECRYPT)
            .setKeySize(BITS)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_RSA_PKCS1)
            .setUserAuthenticationRequired(false)
            .build()
        return KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_RSA, Keystore.PROVIDER).run {
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
            KeyPairGenerator.getInstance("RSA", Keystore.PROVIDER).run {
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
