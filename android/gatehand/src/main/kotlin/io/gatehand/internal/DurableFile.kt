package io.gatehand.internal

import android.system.ErrnoException
import android.system.Os
import android.system.OsConstants
import java.io.File
import java.io.FileOutputStream
import java.io.IOException

/** Small files that are wholly there or not at all, also after a power cut. */
internal object DurableFile {
    /** Writes [bytes] to [file], in place of what it held. Android makes the file private to the app. */
    fun write(file: File, bytes: ByteArray) {
        val temporary = File(file.path + ".new")
        FileOutputStream(temporary).use { stream ->
            stream.write(bytes)
            stream.fd.sync()
        }
        if (!temporary.renameTo(file)) throw IOException("can't rename $temporary to $file")
        sync(file.absoluteFile.parentFile ?: return)
    }

    private fun sync(folder: File) {
        try {
            val descriptor = Os.open(folder.path, OsConstants.O_RDONLY, 0)
            try {
                Os.fsync(descriptor)
            } finally {
                Os.close(descriptor)
            }
        } catch (error: ErrnoException) {
            throw IOException("can't make $folder durable", error)
        }
    }
}
