package io.gatehand.internal.managed

import io.gatehand.internal.DurableFile
import java.io.File
import java.security.MessageDigest

/** Which tokens of a managed configuration were redeemed or refused, remembered by their hash. */
internal class ManagedTokens(folder: File) {
    private val file = File(folder, "managed-tokens")

    fun isUsed(origin: String, token: String): Boolean = hash(origin, token) in read()

    /** Remembers a token for good. */
    fun use(origin: String, token: String) {
        val hashes = read()
        if (hashes.add(hash(origin, token))) DurableFile.write(file, hashes.joinToString("\n").encodeToByteArray())
    }

    private fun read(): MutableSet<String> =
        if (file.exists()) file.readLines().toMutableSet() else mutableSetOf()

    private fun hash(origin: String, token: String): String =
        MessageDigest.getInstance("SHA-256").digest("$origin\n$token".encodeToByteArray())
            .joinToString("") { "%02x".format(it) }
}
