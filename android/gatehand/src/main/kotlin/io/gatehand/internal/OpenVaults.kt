package io.gatehand.internal

import io.gatehand.ErrorCode
import io.gatehand.VaultException
import java.io.File
import java.io.IOException
import java.io.RandomAccessFile
import java.nio.channels.FileChannel
import java.nio.channels.OverlappingFileLockException

/**
 * Which vaults agents have open: in this process, and in the app's other ones by a lock on a file,
 * which the system frees when a process dies.
 */
internal object OpenVaults {
    private val locked = HashMap<String, FileChannel>()

    /** @throws VaultException Another agent has it, or its folder can't be written. */
    @Synchronized
    fun claim(folder: File) {
        if (!isClaimed(folder)) throw inUse(folder)
    }

    private fun isClaimed(folder: File): Boolean =
        try {
            val path = folder.canonicalPath
            // Android 5 does not notice a second lock of the same process.
            val channel = if (path in locked) null else lock(folder)
            if (channel != null) locked[path] = channel
            channel != null
        } catch (error: IOException) {
            val message = "the app's folder ${folder.parent} can't be written: make room, and check who owns it"
            throw VaultException(ErrorCode.VAULT_UNWRITABLE, message, error)
        }

    @Synchronized
    fun release(folder: File) {
        locked.remove(folder.canonicalPath)?.close()
    }

    /** Beside the folder, which may be set aside. */
    private fun lock(folder: File): FileChannel? {
        folder.parentFile?.mkdirs()
        val channel = RandomAccessFile("${folder.path}.lock", "rw").channel
        val lock = try {
            channel.tryLock()
        } catch (_: OverlappingFileLockException) {
            null
        }
        if (lock == null) channel.close()
        return channel.takeIf { lock != null }
    }

    private fun inUse(folder: File) = VaultException(
        ErrorCode.VAULT_IN_USE,
        "another agent of this app has the vault $folder open: keep one agent for the whole app, in one process, " +
            "or close it first, or give this one another vaultName",
    )
}
