package io.gatehand.life

import io.gatehand.AgentConfig
import io.gatehand.Enrolment
import io.gatehand.OwnProcess
import io.gatehand.ScannerAgent
import io.gatehand.TestApp
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestLibrary
import java.io.Closeable
import java.io.File
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/**
 * An app in a process of its own, to be killed: it enrols a vault with each code that it finds in its
 * folder, all at once. Only [start] runs it, on the level of Android that the process is for.
 */
@RunWith(RobolectricTestRunner::class)
class DyingApp {
    @Test
    fun enrols(): Unit = runBlocking {
        TestLibrary.use()
        val folder = File(System.getProperty(FOLDER))
        StandInKeystore.keptIn(File(folder, KEYSTORE))
        val context = TestApp(RuntimeEnvironment.getApplication(), folder)
        for (code in folder.listFiles().orEmpty().filter { it.extension == CODE }) {
            val enrolment = Enrolment.parse(code.readText())
            val agent = ScannerAgent.open(context, config(code.nameWithoutExtension))
            launch { agent.initialize(enrolment.confirmed(enrolment.origin)) }
        }
    }

    companion object {
        const val KEYSTORE = "keystore"
        const val CODE = "code"
        private const val FOLDER = "gatehand.test.folder"

        fun config(vault: String): AgentConfig = AgentConfig.Builder("pretixSCAN", "2.3.1").vaultName(vault).build()

        /** Starts it on an Android of [level]. */
        fun start(folder: File, level: Int): Running {
            val quickly = listOf("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
            val options = quickly + "-D$FOLDER=$folder" + "-Drobolectric.enabledSdks=$level"
            return Running(OwnProcess.start(DyingApp::class.java, File(folder, "said"), options), folder)
        }
    }

    class Running(private val process: Process, private val folder: File) : Closeable {
        /** Waits for [moment], unless the process ends by itself before. */
        fun await(moment: () -> Unit) {
            try {
                moment()
            } catch (error: IllegalStateException) {
                throw AssertionError(File(folder, "said").readText(), error)
            }
        }

        /** As Android ends an app: without a word, by SIGKILL. */
        override fun close() {
            process.destroyForcibly()
            check(process.waitFor(1, TimeUnit.MINUTES)) { "the process can't be killed" }
        }
    }
}
