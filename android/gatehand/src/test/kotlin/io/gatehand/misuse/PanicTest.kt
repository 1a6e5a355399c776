package io.gatehand.misuse

import io.gatehand.testing.TestServer
import java.io.File
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** A defect in the native library is an exception of the call that met it, and no end of the app. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [27])
class PanicTest {
    @get:Rule
    val server = TestServer()

    @get:Rule
    val files = TemporaryFolder()

    private fun assertGoesOn(place: String) {
        val passedOn = listOf("robolectric.offline", "robolectric.dependency.dir").map { "-D$it=${System.getProperty(it)}" }
        assumeTrue("run by android/test.sh", System.getProperty("gatehand.library.failing") != null)
        val device = server.createDevice()
        val command = listOf(File(System.getProperty("java.home"), "bin/java").path, "-cp", System.getProperty("java.class.path")) +
            passedOn + "-Dgatehand.library=${System.getProperty("gatehand.library.failing")}" +
            "-D${PanickingApp.SERVER}=${device.server}" + "-D${PanickingApp.TOKEN}=${device.token}" + PanickingApp::class.java.name
        val said = File(files.root, "said")
        val app = ProcessBuilder(command).apply { environment()["GATEHAND_PANIC_AT"] = place }
            .redirectErrorStream(true).redirectOutput(said).start()
        val ended = app.waitFor(2, TimeUnit.MINUTES)
        if (!ended) app.destroyForcibly()
        assertTrue(ended, said.readText())
        assertEquals(0, app.exitValue(), said.readText())
    }

    @Test
    fun a_panic_while_java_waits_becomes_an_exception() = assertGoesOn(PanickingApp.AT_ONCE)

    @Test
    fun a_panic_in_a_call_that_goes_on_becomes_its_failure() = assertGoesOn(PanickingApp.WHILE_IT_RUNS)
}
