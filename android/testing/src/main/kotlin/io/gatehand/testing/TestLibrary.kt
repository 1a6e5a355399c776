package io.gatehand.testing

import java.io.File
import java.nio.file.Files
import org.junit.Assume.assumeTrue

/** The native library that `android/test.sh` built, for the code under test to load. */
object TestLibrary {
    /** The property with the path of the library as it is shipped. */
    const val SHIPPED = "gatehand.library"

    /** The property with the path of the same with failpoints and [Alive]. */
    const val TESTING = "gatehand.library.testing"

    // The sandboxes of its runner, and no others, leave the runner's class to the loader outside.
    private val isForTesting = TestingLibraryRunner::class.java.classLoader !== TestLibrary::class.java.classLoader
    private val file: File? = System.getProperty(if (isForTesting) TESTING else SHIPPED)?.let(::File)

    // Each of Robolectric's frameworks has a class loader of its own, and no two may load the same file.
    private val copy: File by lazy {
        Files.createTempFile("libgatehand", ".so").toFile().also {
            it.deleteOnExit()
            checkNotNull(file).copyTo(it, overwrite = true)
        }
    }

    /** Lets these classes load it, or skips the test if there is none. */
    fun use() {
        assumeTrue("run by android/test.sh", file != null)
        System.setProperty("io.gatehand.library", copy.path)
    }
}
