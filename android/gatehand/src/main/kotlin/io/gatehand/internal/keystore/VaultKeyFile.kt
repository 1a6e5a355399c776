package io.gatehand.internal.keystore

import android.content.Context
import android.os.Build
import android.util.Base64
import io.gatehand.ErrorCode
import io.gatehand.VaultException
import io.gatehand.internal.DurableFile
import java.io.File
import java.io.IOException
import java.io.RandomAccessFile
import java.security.SecureRandom
import org.json.JSONException
import org.json.JSONObject

/**
 * The key of a vault, in a file beside it, wrapped by a key of the Android Keystore.
 *
 * Nothing that was ever used is deleted or overwritten here, neither a file nor a key of the Keystore:
 * what can't be opened is renamed by [replace], which a person asks for by enrolling again.
 *
 * @param vaultName Makes the names in the Keystore those of this vault.
 * @param pause Waits between two tries at a Keystore that is busy.
 */
internal class VaultKeyFile(
    private val context: Context,
    private val folder: File,
    private val vaultName: String,
    private val pause: (Long) -> Unit = Thread::sleep,
) {
    private val file = File(folder, NAME)
    private val vault = File(folder, VAULT)

    /** The key; a new one if there is neither key nor vault. */
    fun open(): VaultKey = locked {
        when {
            file.exists() -> load()
            vault.exists() -> lost(KeyGoneException("the file $file is gone, but its vault is there"))
            else -> make()
        }
    }

    /** A new key. The old one's file gets another name; its vault has to be set aside too. */
    fun replace(): VaultKey = locked { make() }

    private fun load(): VaultKey {
        val kept = try {
            val json = JSONObject(file.readText())
            // The version first: only it says what else there is.
            val version = version(json)
            if (version > VERSION) return tooNew(version)
            Kept(json.getString("method"), json.getString("alias"), decoded(json.getString("wrapped")))
        } catch (damaged: JSONException) {
            return lost(damaged)
        }
        val wrapper = wrapper(kept.method) ?: return lost(KeyGoneException("$file names an unknown method, ${kept.method}"))
        return try {
            val key = Keystore.patiently(pause) {
                Keystore.surely({ KeystoreWrapper.tryOut(context) }, { wrapper.tryOut(kept.alias) }) {
                    wrapper.unwrap(kept.alias, purpose(kept.alias), kept.wrapped)
                }
            }
            if (key.size == VaultKey.LENGTH) VaultKey.Ready(key) else lost(KeyGoneException("$file holds no vault's key"))
        } catch (failed: KeystoreException) {
            if (failed is KeystoreUnavailableException) VaultKey.Unavailable(failed.forApp()) else lost(failed)
        }
    }

    private class Kept(val method: String, val alias: String, val wrapped: ByteArray)

    private fun decoded(base64: String): ByteArray =
        try {
            Base64.decode(base64, Base64.NO_WRAP)
        } catch (damaged: IllegalArgumentException) {
            throw JSONException("$file is damaged").apply { initCause(damaged) }
        }

    /** Strictly an integer, as the native library reads it; JSONObject itself would take a text or a fraction. */
    private fun version(json: JSONObject): Long =
        when (val version = json.get("version")) {
            is Int -> version.toLong()
            is Long -> version
            else -> throw JSONException("$file has no version")
        }.also { if (it < 1) throw JSONException("$file has version $it") }

    private fun make(): VaultKey {
        // A name of its own, so that the key of a vault that was set aside stays in the Keystore.
        val alias = "$ALIAS$vaultName.${random(ALIAS_RANDOM).joinToString("") { "%02x".format(it) }}"
        val key = random(VaultKey.LENGTH)
        var done = false
        try {
            write(KeystoreWrapper.newest(context), alias, key)
            done = true
            return VaultKey.Ready(key)
        } catch (failed: KeystoreException) {
            val unavailable = failed as? KeystoreUnavailableException
            return VaultKey.Unavailable((unavailable ?: KeystoreUnavailableException("the Keystore can't use its new key", failed)).forApp())
        } finally {
            if (!done) {
                key.fill(0)
                forget(alias)
            }
        }
    }

    private fun write(wrapper: KeystoreWrapper, alias: String, key: ByteArray) {
        val wrapped = Keystore.patiently(pause) {
            wrapper.makeKey(alias)
            wrapper.wrap(alias, purpose(alias), key).also { check(wrapper, alias, it, key) }
        }
        val json = JSONObject()
            .put("version", VERSION)
            .put("method", wrapper.method)
            .put("alias", alias)
            .put("wrapped", Base64.encodeToString(wrapped, Base64.NO_WRAP))
        // Only now: a Keystore that makes no key must not take the old one away.
        val aside = setAside()
        try {
            // Durable before it is used: a vault is never sealed with a key that a power cut could take.
            DurableFile.write(file, json.toString().encodeToByteArray())
        } catch (error: IOException) {
            if (!file.exists()) aside?.renameTo(file)
            throw error
        }
    }

    /** Gives the file that is there another name, and returns it. */
    private fun setAside(): File? {
        if (!file.exists()) return null
        val aside = generateSequence(1) { it + 1 }.map { File(folder, "$NAME.lost-$it") }.first { !it.exists() }
        if (!file.renameTo(aside)) throw IOException("can't rename $file to $aside")
        return aside
    }

    /** Deletes the Keystore's key of a try that failed, unless a file has come to name it. */
    private fun forget(alias: String) {
        // The file may be there although it could not be made durable.
        if (!file.exists() || alias !in file.readText()) Keystore.forget(alias)
    }

    /** Some Keystores take a key and can't open what it wrapped: better to hear of it before it matters. */
    private fun check(wrapper: KeystoreWrapper, alias: String, wrapped: ByteArray, key: ByteArray) {
        val again = wrapper.unwrap(alias, purpose(alias), wrapped)
        val isSame = again.contentEquals(key)
        again.fill(0)
        if (!isSame) throw KeystoreUnavailableException("the Keystore does not give back what it wrapped")
    }

    /** A device that got a newer Android keeps the method that its key was wrapped with. */
    private fun wrapper(method: String): KeystoreWrapper? =
        listOf(KeystoreWrapper.newest(context), RsaWrapper(context)).firstOrNull { it.method == method }

    private fun purpose(alias: String): ByteArray = "gatehand vault key\u0000$alias".encodeToByteArray()

    private fun random(length: Int): ByteArray = ByteArray(length).also(SecureRandom()::nextBytes)

    /** Two processes must not both make a key. */
    private fun locked(work: () -> VaultKey): VaultKey =
        try {
            // Another process may make it at the same time, and then mkdirs says no.
            if (!folder.mkdirs() && !folder.isDirectory) throw IOException("can't make the folder $folder")
            synchronized(LOCK) {
                RandomAccessFile(File(folder, "$NAME.lock"), "rw").use { it.channel.lock().use { work() } }
            }
        } catch (error: IOException) {
            val message = "the folder $folder of the vault can't be used: make room, and check who owns it"
            VaultKey.Unavailable(VaultException(ErrorCode.VAULT_UNWRITABLE, message, error))
        }

    private fun lost(cause: Exception): VaultKey.Lost {
        val message = "the Android Keystore can't open the vault in $folder any more: enrol this device again with a new code"
        return VaultKey.Lost(VaultException(ErrorCode.KEY_LOST, message, cause))
    }

    /** Whoever wrote it can still open it: nothing is lost. */
    private fun tooNew(version: Long): VaultKey.Unavailable {
        val message = "a newer version of this app wrote the vault's key in $folder (version $version; this one knows up to $VERSION): update this app"
        return VaultKey.Unavailable(VaultException(ErrorCode.VAULT_TOO_NEW, message))
    }

    internal companion object {
        const val NAME = "vault.key.wrapped"
        const val VAULT = "vault.db"
        private const val ALIAS = "io.gatehand.vault."
        private const val ALIAS_RANDOM = 8
        private const val VERSION = 1

        /** File locks are the process's, not the thread's. */
        private val LOCK = Any()
    }
}
