package io.gatehand.testing

import android.annotation.TargetApi
import android.os.Build
import android.security.keystore.KeyInfo
import java.security.Key
import java.security.KeyFactorySpi
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.PrivateKey
import java.security.PublicKey
import java.security.spec.InvalidKeySpecException
import java.security.spec.KeySpec
import java.util.Date

/**
 * A key as an app makes it, and for what; without a word of it an RSA pair that decrypts.
 *
 * @property algorithm `RSA`, `EC` or `AES`.
 * @property bits Its length.
 * @property purposes As of `KeyProperties`; decrypting is 2.
 * @property padding With which it decrypts.
 * @property asksUser Whether the user has to authenticate before it is used.
 * @property endsAtMillis When it decrypts no more, in milliseconds of the epoch.
 */
public class StandInKey(
    public val algorithm: String = "RSA",
    public val bits: Int = 2048,
    public val purposes: Int = DECRYPT,
    public val padding: String = "PKCS1Padding",
    public val asksUser: Boolean = false,
    public val endsAtMillis: Long? = null,
) {
    internal fun made(): Entry {
        if (algorithm == "AES") return Entry.Aes(Entry.newAes(), inStrongBox = false)
        return Entry.Rsa(generated(), this)
    }

    private fun generated(): KeyPair = when (algorithm) {
        "RSA" -> Entry.newRsa(bits)
        else -> KeyPairGenerator.getInstance(algorithm, "BC").apply { initialize(bits) }.generateKeyPair()
    }

    private companion object {
        const val DECRYPT = 2
    }
}

/** Tells of a key what it is for. */
internal class StandInKeyFactory(private val keystore: StandInKeystore) : KeyFactorySpi() {
    override fun <T : KeySpec> engineGetKeySpec(key: Key, spec: Class<T>): T = keystore.work(StandInOperation.FIND) {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.M || key !is OpaquePrivateKey) throw InvalidKeySpecException("stand-in: not here")
        val entry = keystore.kept.values.filterIsInstance<Entry.Rsa>().first { it.pair.private === key.key }
        spec.cast(KeyInfos.of(entry.use))
    }

    // Other providers know how.
    override fun engineGeneratePublic(spec: KeySpec?): PublicKey = throw InvalidKeySpecException("stand-in")

    override fun engineGeneratePrivate(spec: KeySpec?): PrivateKey = throw InvalidKeySpecException("stand-in")

    override fun engineTranslateKey(key: Key?): Key = throw UnsupportedOperationException("stand-in")
}

/** Apart, as Android 5 has no such class. */
@TargetApi(Build.VERSION_CODES.M)
private object KeyInfos {
    /** Its constructor is Android's own, and another one in each version: only what is asked for is set. */
    fun of(key: StandInKey): KeyInfo {
        val constructor = KeyInfo::class.java.declaredConstructors.first().apply { isAccessible = true }
        val info = constructor.newInstance(*constructor.parameterTypes.map(::nothing).toTypedArray()) as KeyInfo
        set(info, "mPurposes", key.purposes)
        set(info, "mEncryptionPaddings", arrayOf(key.padding))
        set(info, "mUserAuthenticationRequired", key.asksUser)
        set(info, "mKeyValidityForConsumptionEnd", key.endsAtMillis?.let(::Date))
        return info
    }

    private fun set(info: KeyInfo, name: String, value: Any?) {
        KeyInfo::class.java.getDeclaredField(name).apply { isAccessible = true }.set(info, value)
    }

    private fun nothing(type: Class<*>): Any? = when (type) {
        Boolean::class.javaPrimitiveType -> false
        Int::class.javaPrimitiveType -> 0
        Long::class.javaPrimitiveType -> 0L
        else -> null
    }
}
