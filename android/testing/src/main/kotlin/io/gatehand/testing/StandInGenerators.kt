package io.gatehand.testing

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.security.keystore.StrongBoxUnavailableException
import java.security.InvalidAlgorithmParameterException
import java.security.KeyPair
import java.security.KeyPairGeneratorSpi
import java.security.SecureRandom
import java.security.spec.AlgorithmParameterSpec
import java.util.Locale
import javax.crypto.KeyGeneratorSpi
import javax.crypto.SecretKey

/** What a spec of Android 6 and later asks for; apart, for older ones have no such class. */
private object Specs {
    fun alias(spec: AlgorithmParameterSpec): String? = (spec as? KeyGenParameterSpec)?.keystoreAlias

    fun forGcm(spec: AlgorithmParameterSpec): KeyGenParameterSpec {
        spec as KeyGenParameterSpec
        if (spec.blockModes.toList() != listOf(KeyProperties.BLOCK_MODE_GCM) || spec.keySize != AES_BITS) {
            throw InvalidAlgorithmParameterException("stand-in: only AES-256 in GCM")
        }
        check(spec.isRandomizedEncryptionRequired && !spec.isUserAuthenticationRequired)
        return spec
    }

    fun checkDecrypts(spec: AlgorithmParameterSpec) {
        spec as KeyGenParameterSpec
        check(spec.purposes and KeyProperties.PURPOSE_DECRYPT != 0 && !spec.isUserAuthenticationRequired)
        check(KeyProperties.ENCRYPTION_PADDING_RSA_PKCS1 in spec.encryptionPaddings)
    }

    fun wantsStrongBox(spec: KeyGenParameterSpec): Boolean =
        android.os.Build.VERSION.SDK_INT >= android.os.Build.VERSION_CODES.P && spec.isStrongBoxBacked

    fun noStrongBox(): Exception = StrongBoxUnavailableException("stand-in: no StrongBox")

    private const val AES_BITS = 256
}

internal class StandInAesGenerator(private val keystore: StandInKeystore) : KeyGeneratorSpi() {
    private var spec: AlgorithmParameterSpec? = null

    override fun engineInit(spec: AlgorithmParameterSpec, random: SecureRandom?) {
        this.spec = spec
    }

    override fun engineInit(random: SecureRandom?): Unit = throw UnsupportedOperationException("stand-in: a spec is needed")

    override fun engineInit(size: Int, random: SecureRandom?): Unit = engineInit(random)

    override fun engineGenerateKey(): SecretKey = keystore.work(StandInOperation.MAKE_AES) {
        val spec = Specs.forGcm(checkNotNull(spec) { "stand-in: a spec is needed" })
        val strongBox = Specs.wantsStrongBox(spec)
        if (strongBox && !keystore.strongBoxWorks) throw Specs.noStrongBox()
        val entry = Entry.Aes(Entry.newAes(), strongBox)
        keystore.kept[spec.keystoreAlias] = entry
        OpaqueSecretKey(entry.key)
    }
}

@Suppress("DEPRECATION") // Android 5's way is what is stood in for.
internal class StandInRsaGenerator(private val keystore: StandInKeystore) : KeyPairGeneratorSpi() {
    private var spec: AlgorithmParameterSpec? = null

    override fun initialize(spec: AlgorithmParameterSpec, random: SecureRandom?) {
        this.spec = spec
    }

    override fun initialize(size: Int, random: SecureRandom?): Unit =
        throw UnsupportedOperationException("stand-in: a spec is needed")

    override fun generateKeyPair(): KeyPair = keystore.work(StandInOperation.MAKE_RSA) {
        val spec = checkNotNull(spec) { "stand-in: a spec is needed" }
        val alias = if (spec is android.security.KeyPairGeneratorSpec) {
            keystore.languages.add(Locale.getDefault().language)
            spec.keystoreAlias
        } else {
            Specs.checkDecrypts(spec)
            checkNotNull(Specs.alias(spec))
        }
        val pair = Entry.newRsa()
        keystore.kept[alias] = Entry.Rsa(pair)
        KeyPair(pair.public, OpaquePrivateKey(pair.private))
    }
}
