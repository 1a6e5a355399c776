package io.gatehand.testing

import java.io.InputStream
import java.io.OutputStream
import java.security.Key
import java.security.KeyStoreException
import java.security.KeyStoreSpi
import java.security.Provider
import java.security.Security
import java.security.cert.Certificate
import java.util.Collections
import java.util.Date
import java.util.Enumeration

/**
 * A stand-in for Android's store "AndroidCAStore", which has the system's authorities as `system:…` and those that
 * a person has installed as `user:…`.
 */
public class StandInCaStore private constructor(private val kept: Map<String, Certificate>?) :
    Provider(PROVIDER, "1", "Stand-in for Android's authorities in tests") {
    private fun install() {
        Security.removeProvider(PROVIDER)
        val provider = this
        putService(object : Service(provider, "KeyStore", NAME, "stand-in", null, null) {
            override fun newInstance(parameter: Any?): Any = Store(kept)
        })
        Security.addProvider(this)
    }

    private class Store(private val kept: Map<String, Certificate>?) : KeyStoreSpi() {
        private fun kept() = kept ?: throw KeyStoreException("stand-in: broken")

        override fun engineLoad(stream: InputStream?, password: CharArray?) {
            if (kept == null) throw IllegalStateException("stand-in: broken")
        }

        override fun engineAliases(): Enumeration<String> = Collections.enumeration(kept().keys)

        override fun engineGetCertificate(alias: String): Certificate? = kept()[alias]

        override fun engineContainsAlias(alias: String): Boolean = alias in kept()

        override fun engineSize(): Int = kept().size

        override fun engineIsCertificateEntry(alias: String): Boolean = alias in kept()

        override fun engineGetCertificateAlias(certificate: Certificate): String? =
            kept().entries.firstOrNull { it.value == certificate }?.key

        override fun engineIsKeyEntry(alias: String): Boolean = false

        override fun engineGetKey(alias: String, password: CharArray?): Key? = null

        override fun engineGetCertificateChain(alias: String): Array<Certificate>? = null

        override fun engineGetCreationDate(alias: String): Date? = null

        override fun engineSetKeyEntry(alias: String, key: Key, password: CharArray?, chain: Array<Certificate>?): Unit = readOnly()

        override fun engineSetKeyEntry(alias: String, key: ByteArray, chain: Array<Certificate>?): Unit = readOnly()

        override fun engineSetCertificateEntry(alias: String, certificate: Certificate): Unit = readOnly()

        override fun engineDeleteEntry(alias: String): Unit = readOnly()

        override fun engineStore(stream: OutputStream?, password: CharArray?): Unit = readOnly()

        private fun readOnly(): Nothing = throw UnsupportedOperationException()
    }

    /** Makes stand-ins. */
    public companion object {
        private const val NAME = "AndroidCAStore"
        private const val PROVIDER = "gatehand-authorities"
        private const val serialVersionUID = 1L

        /** A store with these, by their aliases, in place of the process's. */
        @JvmStatic
        public fun of(certificates: Map<String, Certificate>): Unit = StandInCaStore(certificates).install()

        /** A store that can't be read. */
        @JvmStatic
        public fun broken(): Unit = StandInCaStore(null).install()

        /** Takes it away. */
        @JvmStatic
        public fun remove(): Unit = Security.removeProvider(PROVIDER)
    }
}
