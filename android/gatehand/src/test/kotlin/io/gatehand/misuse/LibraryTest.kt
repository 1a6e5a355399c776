package io.gatehand.misuse

import io.gatehand.AgentConfig
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.NativeLibraryException
import io.gatehand.ScannerAgent
import io.gatehand.internal.NativeLibrary
import java.io.File
import java.lang.reflect.InvocationTargetException
import java.net.URLClassLoader
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import org.junit.After
import org.junit.Assume.assumeTrue
import org.junit.Before
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.util.ReflectionHelpers

/** Native libraries that are not the right one, as an app is packaged with by mistake. */
@RunWith(RobolectricTestRunner::class)
class LibraryTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private val path: String? = System.getProperty(NativeLibrary.PATH_PROPERTY)
    private val outcome: Any? = ReflectionHelpers.getField(NativeLibrary, "outcome")

    /** As in a process that has loaded none yet. */
    @Before
    fun forget() {
        assumeTrue("run by android/test.sh", System.getProperty("gatehand.library") != null)
        ReflectionHelpers.setField(NativeLibrary, "outcome", null)
    }

    @After
    fun remember() {
        if (path == null) System.clearProperty(NativeLibrary.PATH_PROPERTY) else System.setProperty(NativeLibrary.PATH_PROPERTY, path)
        ReflectionHelpers.setField(NativeLibrary, "outcome", outcome)
    }

    private fun changed(change: (ByteArray) -> Unit): File = temporary.newFile("lib-${System.nanoTime()}.so").apply {
        writeBytes(File(System.getProperty("gatehand.library")).readBytes().also(change))
    }

    private fun assertUnusable(library: String?) {
        if (library == null) System.clearProperty(NativeLibrary.PATH_PROPERTY) else System.setProperty(NativeLibrary.PATH_PROPERTY, library)
        val config = AgentConfig.Builder("pretixSCAN", "2.3.1").build()
        // It stays so, whatever is called first and however often.
        val calls = listOf<() -> Any>(
            { ScannerAgent.open(RuntimeEnvironment.getApplication(), config) },
            { ScannerAgent.open(RuntimeEnvironment.getApplication(), config) },
            { Enrolment.parse("🎫") },
            { Enrolment.of("https://pretix.eu", "kpp4jn8g2ynzonp6") },
        )
        for (call in calls) {
            val error = assertFailsWith<NativeLibraryException> { call() }
            assertEquals(ErrorCode.LIBRARY_UNUSABLE, error.code)
            assertTrue("put a build for this device's processor" in error.message, error.message)
            assertTrue(error.cause is UnsatisfiedLinkError)
        }
    }

    @Test
    fun one_that_is_missing_is_said_so(): Unit = assertUnusable(null)

    @Test
    fun one_for_another_processor_is_said_so() {
        val other = changed { it[MACHINE] = AARCH64 }
        assertUnusable(other.path)
    }

    @Test
    @Config(sdk = [27])
    fun one_of_another_version_is_refused() {
        val ours = NativeLibrary.VERSION.encodeToByteArray()
        val other = "9".repeat(ours.size).encodeToByteArray()
        val library = changed { bytes ->
            for (start in 0..bytes.size - ours.size) {
                if (ours.indices.all { bytes[start + it] == ours[it] }) other.copyInto(bytes, start)
            }
        }
        val error = failureAnew(library)
        assertTrue("is of version ${other.decodeToString()}" in error.message!!, error.message)
    }

    @Test
    @Config(sdk = [27])
    fun classes_that_r8_took_away_are_said_so() {
        for (lost in listOf("Failures", "Completion", "Observer")) {
            val error = failureAnew(changed {}, lost = "io.gatehand.internal.$lost")
            assertTrue("META-INF/proguard/gatehand.pro" in error.message!!, error.message)
            assertTrue(lost in error.cause.toString(), "${error.cause}")
        }
    }

    /**
     * What it fails with to load [library] from classes that were loaded anew, since functions that
     * were found once stay.
     *
     * @param lost A class that is not there any more.
     */
    private fun failureAnew(library: File, lost: String? = null): Throwable {
        System.setProperty(NativeLibrary.PATH_PROPERTY, library.path)
        val classPath = System.getProperty("java.class.path").split(File.pathSeparator).map { File(it).toURI().toURL() }
        val android = object : ClassLoader(getPlatformClassLoader()) {
            override fun findClass(name: String): Class<*> {
                if (!name.startsWith("android.")) throw ClassNotFoundException(name)
                return LibraryTest::class.java.classLoader.loadClass(name)
            }
        }
        val loader = object : URLClassLoader(classPath.toTypedArray(), android) {
            override fun findClass(name: String): Class<*> {
                if (name == lost) throw ClassNotFoundException(name)
                return super.findClass(name)
            }
        }
        return loader.use {
            val type = it.loadClass(NativeLibrary::class.java.name)
            val load = type.getMethod("load")
            val error = assertFailsWith<InvocationTargetException> { load.invoke(type.getField("INSTANCE").get(null)) }.targetException
            assertEquals(NativeLibraryException::class.java.name, error.javaClass.name, "$error")
            error
        }
    }

    private companion object {
        /** Where an ELF file names the processor that it is for. */
        const val MACHINE = 0x12
        const val AARCH64: Byte = 0xb7.toByte()
    }
}
