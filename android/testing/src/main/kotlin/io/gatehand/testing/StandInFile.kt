package io.gatehand.testing

import java.io.File
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import java.security.KeyFactory
import java.security.KeyPair
import java.security.spec.PKCS8EncodedKeySpec
import java.security.spec.X509EncodedKeySpec
import java.util.Base64
import javax.crypto.spec.SecretKeySpec

/** The keys of a stand-in that outlives the process, a line each. Only the stand-in sees them. */
internal object StandInFile {
    fun read(file: File): MutableMap<String, Entry> =
        file.readLines().associateTo(HashMap()) { line ->
            val words = line.split(' ')
            words[0] to entry(words[1], words.drop(2).map(Base64.getDecoder()::decode))
        }

    /** In one step, so that a process that is killed leaves all keys or those from before. */
    fun write(file: File, entries: Map<String, Entry>) {
        val temporary = File(file.path + ".new")
        temporary.writeText(entries.map { (alias, entry) -> "$alias ${words(entry).joinToString(" ")}\n" }.joinToString(""))
        Files.move(temporary.toPath(), file.toPath(), StandardCopyOption.ATOMIC_MOVE)
    }

    private fun words(entry: Entry): List<String> = when (entry) {
        is Entry.Aes -> listOf(if (entry.inStrongBox) STRONGBOX else AES, text(entry.key.encoded))
        is Entry.Rsa -> listOf(RSA, text(entry.pair.private.encoded), text(entry.pair.public.encoded))
    }

    private fun entry(kind: String, parts: List<ByteArray>): Entry {
        if (kind != RSA) return Entry.Aes(SecretKeySpec(parts[0], "AES"), inStrongBox = kind == STRONGBOX)
        val factory = KeyFactory.getInstance("RSA", "SunRsaSign")
        val public = factory.generatePublic(X509EncodedKeySpec(parts[1]))
        return Entry.Rsa(KeyPair(public, factory.generatePrivate(PKCS8EncodedKeySpec(parts[0]))))
    }

    private fun text(bytes: ByteArray): String = Base64.getEncoder().encodeToString(bytes)

    private const val AES = "AES"
    private const val STRONGBOX = "AES-in-StrongBox"
    private const val RSA = "RSA"
}
