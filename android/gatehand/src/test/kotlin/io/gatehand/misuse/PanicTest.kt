package io.gatehand.misuse

import io.gatehand.OwnProcess
import io.gatehand.testing.TestLibrary
import io.gatehand.testing.TestServer
import java.io.File
import kotlin.test.Test
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
        assumeTrue("run by android/test.sh", System.getProperty(TestLibrary.TESTING) != null)
        val device = server.createDevice()
        val said = File(files.root, "said")
        val options = listOf("-D${PanickingApp.SERVER}=${device.server}", "-D${PanickingApp.TOKEN}=${device.token}")
        val environment = mapOf("GATEHAND_PANIC_AT" to place)
        OwnProcess.await(OwnProcess.start(PanickingApp::class.java, said, options, TestLibrary.TESTING, environment), said)
    }

    @Test
    fun a_panic_while_java_waits_becomes_an_exception() = assertGoesOn(PanickingApp.AT_ONCE)

    @Test
    fun a_panic_in_a_call_that_goes_on_becomes_its_failure() = assertGoesOn(PanickingApp.WHILE_IT_RUNS)
}
