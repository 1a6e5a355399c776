package io.gatehand.internal.keystore

import android.annotation.TargetApi
import android.os.Build
import android.security.keystore.KeyInfo
import android.security.keystore.KeyProperties
import java.security.KeyFactory
import java.security.KeyStore
import java.security.PrivateKey
import java.security.interfaces.RSAPublicKey
import java.util.Date

/** Whether a key that the app has made decrypts NFC media keys; to be used within [Keystore.ask]. */
internal object KeyFitness {
    /** What gatehand's server and library take at least. Pretix takes shorter ones, which keep nothing secret. */
    private const val LEAST_BITS = 1024

    /**
     * The pair of this name.
     *
     * @throws KeyGoneException There is none.
     * @throws KeyUnfitException It is none that can be used.
     */
    fun pair(alias: String): KeyStore.PrivateKeyEntry {
        val entry = Keystore.store().getEntry(alias, null) ?: throw KeyGoneException("the Keystore has no key $alias")
        val public = (entry as? KeyStore.PrivateKeyEntry)?.certificate?.publicKey as? RSAPublicKey
        val why = when {
            public == null -> "is not an RSA key pair"
            public.modulus.bitLength() < LEAST_BITS -> "has ${public.modulus.bitLength()} bits, and $LEAST_BITS are the least"
            Build.VERSION.SDK_INT >= Build.VERSION_CODES.M -> FromAndroid6.unfitness(entry.privateKey)
            else -> null
        }
        if (why != null) throw KeyUnfitException("the key $alias of the Android Keystore $why")
        return entry as KeyStore.PrivateKeyEntry
    }

    /** Apart, as Android 5 has no such class, nor keys of a purpose. */
    @TargetApi(Build.VERSION_CODES.M)
    private object FromAndroid6 {
        fun unfitness(key: PrivateKey): String? {
            val info = KeyFactory.getInstance(key.algorithm, Keystore.PROVIDER).getKeySpec(key, KeyInfo::class.java)
            return when {
                info.purposes and KeyProperties.PURPOSE_DECRYPT == 0 -> "is not made for decrypting"
                KeyProperties.ENCRYPTION_PADDING_RSA_PKCS1 !in info.encryptionPaddings ->
                    "decrypts no PKCS#1 padding, which servers encrypt NFC media keys with"
                info.isUserAuthenticationRequired -> "asks for the user's authentication, and gates work without"
                info.keyValidityForConsumptionEnd?.before(Date()) == true -> "is past the end of its validity"
                else -> null
            }
        }
    }
}
