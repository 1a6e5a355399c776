package io.gatehand.testing

import java.io.File
import java.security.KeyStoreException
import java.security.Provider
import java.security.ProviderException
import java.security.PublicKey
import java.security.Security
import javax.crypto.Cipher
import javax.crypto.SecretKey

/** What the library does with a Keystore; each can fail. */
public enum class StandInOperation {
    /** The store is loaded. */
    LOAD,

    /** A key is looked up. */
    FIND,

    /** A key is deleted. */
    DELETE,

    /** An AES key is made. */
    MAKE_AES,

    /** An RSA pair is made. */
    MAKE_RSA,

    /** A cipher begins. */
    BEGIN,

    /** A cipher ends. */
    END,
}

/**
 * A stand-in for the provider "AndroidKeyStore", which the JVM has not and Robolectric does not bring.
 *
 * It keeps what the library relies on: keys that can't be taken out, a nonce that only the Keystore
 * chooses, entries that outlive the process (here: until [reset], or in a file). What it can't show is whether a
 * device's Keystore and StrongBox do the same; only a device can.
 */
public class StandInKeystore private constructor(private val file: File?) :
    Provider(NAME, "1", "Stand-in for Android's Keystore in tests") {
    internal val kept: MutableMap<String, Entry> = file?.takeIf(File::exists)?.let(StandInFile::read) ?: HashMap()
    private var inFile = kept.toMap()

    /** How many of the next operations fail as a Keystore does that is busy. */
    @Volatile
    public var busy: Int = 0

    /** What an operation fails with from now on; `null` has it succeed. May count, as for one that fails but once. */
    @Volatile
    public var fault: (StandInOperation) -> Throwable? = { null }

    /** Whether the store has no keys, as Android 11 says while the Keystore's service is away. */
    @Volatile
    public var isAway: Boolean = false

    /** Whether a key in the StrongBox can be had. */
    @Volatile
    public var strongBoxWorks: Boolean = true

    /** Whether a key in the StrongBox can be used, if it can be had. */
    @Volatile
    public var strongBoxEncrypts: Boolean = true

    /** Whether what is opened is something else than what was sealed, as on a few broken devices. */
    @Volatile
    public var garbles: Boolean = false

    /** Names of the keys that are there. */
    public val aliases: Set<String> get() = synchronized(kept) { kept.keys.toSet() }

    /** Names of the keys in the StrongBox. */
    public val strongBoxAliases: Set<String>
        get() = synchronized(kept) { kept.filterValues { it.inStrongBox }.keys.toSet() }

    internal fun isInStrongBox(key: SecretKey): Boolean =
        kept.values.any { it is Entry.Aes && it.inStrongBox && it.key === key }

    /** The default locale's language while each RSA pair was made by Android 5's way. */
    public val languages: MutableList<String> = ArrayList()

    /** Loses all keys, as when the device's credentials are reset. */
    public fun loseKeys() {
        change { kept.clear() }
    }

    /** Puts a key there that the app has made by itself. */
    public fun put(alias: String, key: StandInKey) {
        change { kept[alias] = key.made() }
    }

    /** What is encrypted to the pair of this name, as a server does it. */
    public fun encrypt(alias: String, plain: ByteArray): ByteArray = Cipher.getInstance("RSA/ECB/PKCS1Padding", "SunJCE").run {
        init(Cipher.ENCRYPT_MODE, (kept.getValue(alias) as Entry.Rsa).pair.public)
        doFinal(plain)
    }

    /** The public half of the pair of this name. */
    public fun publicKey(alias: String): PublicKey = (kept.getValue(alias) as Entry.Rsa).pair.public

    /** Exchanges each key for another one of the same name and kind. */
    public fun exchangeKeys() {
        change { kept.keys.toList().forEach { kept[it] = kept.getValue(it).another() } }
    }

    internal fun <T> work(operation: StandInOperation, work: () -> T): T {
        fault(operation)?.let { throw it }
        if (isAway && operation != StandInOperation.LOAD && operation != StandInOperation.FIND) throw NullPointerException("stand-in: no service")
        if (busy > 0) {
            busy--
            throw if (busy % 2 == 0) ProviderException("stand-in: busy") else KeyStoreException("stand-in: busy")
        }
        return change(work)
    }

    private fun <T> change(work: () -> T): T = synchronized(kept) {
        val done = work()
        if (file != null && kept != inFile) {
            StandInFile.write(file, kept)
            inFile = kept.toMap()
        }
        done
    }

    /** Makes this the process's Keystore; to be called before each test. */
    private fun install() {
        Security.removeProvider(NAME)
        putService(Made(this, "KeyStore", NAME) { StandInKeyStoreSpi(this) })
        putService(Made(this, "KeyGenerator", "AES") { StandInAesGenerator(this) })
        putService(Made(this, "KeyPairGenerator", "RSA") { StandInRsaGenerator(this) })
        putService(Made(this, "KeyFactory", "RSA") { StandInKeyFactory(this) })
        putService(Made(this, "Cipher", "AES/GCM/NoPadding", OpaqueSecretKey::class.java) { StandInAesCipher(this) })
        putService(Made(this, "Cipher", "RSA/ECB/PKCS1Padding", OpaquePrivateKey::class.java) { StandInRsaCipher(this) })
        // First, as on a device, where its ciphers come before the others that would try its keys.
        Security.insertProviderAt(this, 1)
    }

    private class Made(provider: Provider, type: String, algorithm: String, key: Class<*>? = null, private val make: () -> Any) :
        Service(provider, type, algorithm, "stand-in", null, null) {
        private val keyClass = key

        override fun newInstance(parameter: Any?): Any = make()

        override fun supportsParameter(parameter: Any?): Boolean = keyClass?.isInstance(parameter) ?: true
    }

    /** Makes stand-ins. */
    public companion object {
        /** The provider's name. */
        public const val NAME: String = "AndroidKeyStore"

        /** A Keystore without keys, in place of the process's. */
        @JvmStatic
        public fun reset(): StandInKeystore = StandInKeystore(null).apply { install() }

        /** A Keystore with the keys in [file], in place of the process's: the same in each process that has it. */
        @JvmStatic
        public fun keptIn(file: File): StandInKeystore = StandInKeystore(file).apply { install() }

        private const val serialVersionUID = 1L
    }
}
