package io.gatehand.testing

import java.io.InputStream
import java.io.OutputStream
import java.security.Key
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.KeyStore
import java.security.KeyStoreSpi
import java.security.PrivateKey
import java.security.PublicKey
import java.security.Security
import java.security.cert.Certificate
import java.util.Collections
import java.util.Date
import java.util.Enumeration
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey

internal sealed class Entry(val inStrongBox: Boolean) {
    abstract fun another(): Entry

    class Aes(val key: SecretKey, inStrongBox: Boolean) : Entry(inStrongBox) {
        override fun another(): Entry = Aes(newAes(), inStrongBox)
    }

    /** A pair, be it of RSA or not. */
    class Rsa(val pair: KeyPair, val use: StandInKey = StandInKey()) : Entry(inStrongBox = false) {
        override fun another(): Entry = Rsa(newRsa(), use)
    }

    companion object {
        fun newAes(): SecretKey = KeyGenerator.getInstance("AES", "SunJCE").apply { init(AES_BITS) }.generateKey()

        /** By native code where there is some, as Robolectric's: the JVM's own takes seconds for a key, without its second compiler. */
        fun newRsa(bits: Int = RSA_BITS): KeyPair {
            val provider = Security.getProvider("Conscrypt") ?: Security.getProvider("SunRsaSign")
            return KeyPairGenerator.getInstance("RSA", provider).apply { initialize(bits) }.generateKeyPair()
        }

        private const val AES_BITS = 256
        private const val RSA_BITS = 2048
    }
}

/** A key whose bytes nobody gets. */
internal class OpaqueSecretKey(@Transient val key: SecretKey) : SecretKey {
    override fun getAlgorithm(): String = "AES"

    override fun getFormat(): String? = null

    override fun getEncoded(): ByteArray? = null
}

/** A key whose bytes nobody gets. */
internal class OpaquePrivateKey(@Transient val key: PrivateKey) : PrivateKey {
    override fun getAlgorithm(): String = key.algorithm

    override fun getFormat(): String? = null

    override fun getEncoded(): ByteArray? = null
}

internal class StandInCertificate(private val key: PublicKey) : Certificate("X.509") {
    override fun getPublicKey(): PublicKey = key

    override fun getEncoded(): ByteArray = key.encoded

    override fun verify(key: PublicKey?): Unit = throw UnsupportedOperationException("stand-in")

    override fun verify(key: PublicKey?, provider: String?): Unit = throw UnsupportedOperationException("stand-in")

    override fun toString(): String = "stand-in certificate"
}

/** The store of an Android Keystore: nothing is imported, nothing comes from a file. */
internal class StandInKeyStoreSpi(private val keystore: StandInKeystore) : KeyStoreSpi() {
    private val entries get() = if (keystore.isAway) HashMap() else keystore.kept

    override fun engineLoad(stream: InputStream?, password: CharArray?) {
        require(stream == null) { "the Keystore loads from nothing" }
        keystore.fault(StandInOperation.LOAD)?.let { throw it }
    }

    override fun engineGetKey(alias: String, password: CharArray?): Key? = keystore.work(StandInOperation.FIND) {
        when (val entry = entries[alias]) {
            is Entry.Aes -> OpaqueSecretKey(entry.key)
            is Entry.Rsa -> OpaquePrivateKey(entry.pair.private)
            null -> null
        }
    }

    override fun engineGetEntry(alias: String, protection: KeyStore.ProtectionParameter?): KeyStore.Entry? = keystore.work(StandInOperation.FIND) {
        when (val entry = entries[alias]) {
            is Entry.Aes -> KeyStore.SecretKeyEntry(OpaqueSecretKey(entry.key))
            is Entry.Rsa ->
                KeyStore.PrivateKeyEntry(OpaquePrivateKey(entry.pair.private), arrayOf(StandInCertificate(entry.pair.public)))
            null -> null
        }
    }

    override fun engineContainsAlias(alias: String): Boolean = keystore.work(StandInOperation.FIND) { alias in entries }

    override fun engineIsKeyEntry(alias: String): Boolean = engineContainsAlias(alias)

    override fun engineIsCertificateEntry(alias: String): Boolean = false

    override fun engineAliases(): Enumeration<String> = keystore.work(StandInOperation.FIND) { Collections.enumeration(entries.keys.toList()) }

    override fun engineSize(): Int = keystore.work(StandInOperation.FIND) { entries.size }

    override fun engineDeleteEntry(alias: String) {
        keystore.work(StandInOperation.DELETE) { entries.remove(alias) }
    }

    override fun engineGetCertificate(alias: String): Certificate? =
        keystore.work(StandInOperation.FIND) { (entries[alias] as? Entry.Rsa)?.let { StandInCertificate(it.pair.public) } }

    override fun engineGetCertificateChain(alias: String): Array<Certificate>? = engineGetCertificate(alias)?.let { arrayOf(it) }

    override fun engineGetCertificateAlias(certificate: Certificate?): String? = null

    override fun engineGetCreationDate(alias: String): Date = Date(0)

    override fun engineSetKeyEntry(alias: String, key: Key?, password: CharArray?, chain: Array<out Certificate>?): Unit = refuse()

    override fun engineSetKeyEntry(alias: String, key: ByteArray?, chain: Array<out Certificate>?): Unit = refuse()

    override fun engineSetCertificateEntry(alias: String, certificate: Certificate?): Unit = refuse()

    override fun engineStore(stream: OutputStream?, password: CharArray?): Unit = refuse()

    private fun refuse(): Nothing = throw UnsupportedOperationException("stand-in: nothing is imported or stored")
}
