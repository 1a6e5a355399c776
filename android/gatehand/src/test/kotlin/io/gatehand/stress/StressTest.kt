package io.gatehand.stress

import io.gatehand.OwnProcess
import io.gatehand.testing.TestLibrary
import io.gatehand.testing.TestServer
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** 64 coroutines, 10,000 calls each, cancelled and closed at random: nothing leaks, nothing crashes. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [27])
class StressTest {
    @get:Rule
    val server = TestServer()

    @get:Rule
    val files = TemporaryFolder()

    /** Runs [CheckedApp] and returns what the JVM and the app said. */
    private fun run(each: Int, vararg checks: String): String {
        val said = File(files.root, "said")
        val options = checks.toList() + "-D${CheckedApp.CODE}=${server.createDevice().code}" + "-D${CheckedApp.EACH}=$each"
        return OwnProcess.await(OwnProcess.start(CheckedApp::class.java, said, options, TestLibrary.TESTING), said)
    }

    @Test
    fun calls_that_are_cancelled_and_closed_at_random_leave_nothing_behind() {
        val said = run(each = 10_000)
        println(said.lines().first { it.startsWith("calls:") })
    }

    @Test
    fun the_jvm_finds_nothing_wrong_with_what_the_native_library_does() {
        val said = run(each = 200, "-Xcheck:jni")
        // The JVM names the native method, and the JDK's own are not all clean.
        val complaints = Regex("(?m)^(FATAL ERROR|WARNING) in native method.*(\\R\\s+at .*)*|^WARNING: JNI.*(\\R\\s+at .*)*")
        val ours = complaints.findAll(said).map { it.value }.filter { "io.gatehand" in it || "(Native Method)" !in it }
        assertEquals(emptyList(), ours.toList())
        assertTrue("calls: done" in said, said)
    }
}
