package io.gatehand.internal.keystore

import io.gatehand.VaultException

/** What became of the attempt to have a vault's key. */
internal sealed interface VaultKey {
    /** The key is at hand. Whoever has it wipes it. */
    class Ready(val bytes: ByteArray) : VaultKey

    /** The key is gone for good. Nothing was deleted. */
    class Lost(val cause: VaultException) : VaultKey

    /** The Keystore, or the disk, failed in a way that may pass, or this app is too old. Nothing was deleted. */
    class Unavailable(val cause: VaultException) : VaultKey

    companion object {
        /** Bytes in a vault's key. */
        const val LENGTH = 32
    }
}
