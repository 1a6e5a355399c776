package io.gatehand

import android.app.Application
import io.gatehand.internal.NativeLibrary
import io.gatehand.testing.StandInKeystore
import java.io.File
import java.nio.file.Files
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assume.assumeTrue
import org.junit.Before
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/** A device's life against the real server, through the real native library of this machine. */
@RunWith(RobolectricTestRunner::class)
class LifeTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private val context: Application = RuntimeEnvironment.getApplication()
    private val config = AgentConfig.Builder("pretixSCAN", "2.3.1").build()
    private var server: Process? = null
    private lateinit var address: String

    @Before
    fun start() {
        assumeTrue("run by android/test.sh", LIBRARY != null && PROGRAM != null)
        StandInKeystore.reset()
        // Each framework has its own class loader, and no two may load the same file.
        if (System.getProperty(NativeLibrary.PATH_PROPERTY) == null || !loaded) {
            val copy = Files.createTempFile("libgatehand", ".so").toFile()
            File(checkNotNull(LIBRARY)).copyTo(copy, overwrite = true)
            System.setProperty(NativeLibrary.PATH_PROPERTY, copy.path)
            NativeLibrary.load()
            copy.delete()
            loaded = true
        }
        admin("organizer", "create", "bigevents", "--name", "Big Events")
        val process = program("serve", "--listen", "127.0.0.1:0").start().also { server = it }
        val listening = Regex("http://127\\.0\\.0\\.1:[0-9]+")
        address = process.inputStream.bufferedReader().lineSequence().firstNotNullOf { listening.find(it)?.value }
    }

    @After
    fun stop() {
        server?.destroyForcibly()?.waitFor()
    }

    private fun program(vararg arguments: String) =
        ProcessBuilder(checkNotNull(PROGRAM), *arguments).redirectErrorStream(true).apply {
            environment()["GATEHAND_DATABASE"] = File(temporary.root, "server.db").path
        }

    private fun admin(vararg arguments: String): String {
        val process = program("admin", *arguments).start()
        val said = process.inputStream.bufferedReader().readText()
        assertEquals(0, process.waitFor(), said)
        return said
    }

    private fun enrolment(): Enrolment {
        val said = admin("device", "create", "bigevents", "--name", "Lane 2", "--all-events", "--public-url", address)
        val token = checkNotNull(Regex("\\b[a-z0-9]{16}\\b").find(said)) { said }.value
        return Enrolment.of(address, token)
    }

    @Test
    fun a_device_is_enrolled_restarted_rolled_and_revoked(): Unit = runBlocking {
        val enrolment = enrolment()
        ScannerAgent.open(context, config).use { agent ->
            assertEquals(DeviceState.NotEnrolled, agent.status())
            val identity = agent.initialize(enrolment.confirmed(enrolment.origin))
            assertEquals("Lane 2", identity.name)
            assertIs<DeviceState.Enrolled>(agent.state.value)
        }
        ScannerAgent.open(context, config).use { agent ->
            assertIs<DeviceState.Enrolled>(agent.state.value)
            assertEquals("bigevents", agent.refresh().organizer)
            assertEquals(200, agent.request(ApiRequest.get("api/v1/device/info")).status)
            val streamed = agent.stream(ApiRequest.get("api/v1/device/info")).use { it.body.readBytes().decodeToString() }
            assertTrue("Lane 2" in streamed, streamed)
            agent.eventSelection()
            agent.roll()
            agent.revoke()
            assertIs<DeviceState.Revoked>(agent.state.value)
            agent.close()
            assertFailsWith<IllegalStateException> { agent.refresh() }
        }
    }

    private companion object {
        val LIBRARY: String? = System.getProperty("gatehand.library")
        val PROGRAM: String? = System.getProperty("gatehand.program")
        var loaded = false
    }
}
