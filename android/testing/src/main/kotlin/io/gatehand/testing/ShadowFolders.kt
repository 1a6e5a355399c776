package io.gatehand.testing

import java.io.File
import java.io.FileDescriptor
import java.io.RandomAccessFile
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.shadows.ShadowLinux

/** Robolectric can't open folders, which is what makes a renamed file durable. */
@Implements(className = "libcore.io.Linux", isInAndroidSdk = false)
class ShadowFolders : ShadowLinux() {
    @Implementation
    override fun open(path: String, flags: Int, mode: Int): FileDescriptor =
        if (File(path).isDirectory) RandomAccessFile("/dev/null", "r").fd else super.open(path, flags, mode)
}
