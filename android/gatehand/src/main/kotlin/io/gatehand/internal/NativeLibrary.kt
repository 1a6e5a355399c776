package io.gatehand.internal

import android.os.Build
import io.gatehand.NativeLibraryException

/** Loads the native library once and makes sure that it belongs to these classes. */
internal object NativeLibrary {
    /** A system property with the path of the library, for tests on the JVM. */
    const val PATH_PROPERTY = "io.gatehand.library"

    /** The version of these classes; a test compares it with Cargo.toml. */
    const val VERSION = "0.1.0"

    @Volatile
    private var outcome: Result<Unit>? = null

    /** @throws NativeLibraryException It can't be used, which stays so for this process. */
    @Synchronized
    fun load() {
        val known = outcome ?: runCatching { check(::loadFile, Native::version) }.also { outcome = it }
        known.getOrThrow()
    }

    /** @throws IllegalStateException This is a thread of the library, which has none before it is loaded. */
    fun checkMayWait() {
        if (outcome?.isSuccess == true) Native.checkMayWait()
    }

    private fun loadFile() {
        val path = System.getProperty(PATH_PROPERTY)
        if (path == null) System.loadLibrary("gatehand") else System.load(path)
    }

    internal fun check(load: () -> Unit, version: () -> String) {
        val found = try {
            load()
            version()
        } catch (error: LinkageError) {
            // Also a class of ours that the library looks for in vain.
            val abis = Build.SUPPORTED_ABIS.orEmpty().joinToString()
            throw NativeLibraryException(
                "libgatehand.so can't be loaded: put a build for this device's processor ($abis) into the app, " +
                    "and keep what META-INF/proguard/gatehand.pro names if R8 shrinks it",
                error,
            )
        }
        if (found != VERSION) {
            throw NativeLibraryException(
                "libgatehand.so is of version $found, but gatehand's classes are of $VERSION: " +
                    "take both from the same release",
            )
        }
    }
}
