package io.gatehand.internal

import io.gatehand.ErrorCode
import io.gatehand.VaultException
import java.io.File

/** Which vaults agents of this process have open. The native library keeps other processes out. */
internal object OpenVaults {
    private val folders = HashSet<String>()

    /** @throws VaultException Another agent has it. */
    @Synchronized
    fun claim(folder: File) {
        if (!folders.add(folder.canonicalPath)) {
            throw VaultException(
                ErrorCode.VAULT_IN_USE,
                "another agent of this app has the vault $folder open: keep one agent for the whole app, " +
                    "or close it first, or give this one another vaultName",
            )
        }
    }

    @Synchronized
    fun release(folder: File) {
        folders.remove(folder.canonicalPath)
    }
}
