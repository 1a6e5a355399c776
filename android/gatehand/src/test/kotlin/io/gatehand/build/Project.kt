package io.gatehand.build

import io.gatehand.internal.Native
import java.io.File
import java.nio.file.Path

/** Where things of the build are, for tests that check it. */
internal object Project {
    /** The folder of the whole project. */
    val root: File = File(checkNotNull(System.getProperty("gatehand.project")) { "run by Maven" }).canonicalFile

    /** The compiled classes and resources of the library. */
    val classes: Path by lazy { jarOf(Native::class.java) }

    /** The jar that [type] comes from. */
    fun jarOf(type: Class<*>): Path = Path.of(type.protectionDomain.codeSource.location.toURI())

    fun text(path: String): String = root.resolve(path).readText()
}
