package io.gatehand.life

import android.os.Build
import io.gatehand.AgentConfig
import io.gatehand.ApiRequest
import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.Enrolment
import io.gatehand.ScannerAgent
import io.gatehand.TestApp
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestDevice
import io.gatehand.testing.TestProxy
import io.gatehand.testing.TestServer
import java.io.File
import java.util.concurrent.TimeUnit
import kotlin.random.Random
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** A process that is killed in the middle of `initialize` costs no device. */
@RunWith(RobolectricTestRunner::class)
class ProcessDeathTest {
    @get:Rule
    val server = TestServer()

    @get:Rule
    val files = TemporaryFolder()

    private val doomed = ArrayList<Doomed>()

    /** A vault, the code that the app redeems with it, and the way to the server on which that stops. */
    private inner class Doomed(val vault: String, sent: Int, received: Int) {
        val proxy = TestProxy(server.address).stopAfter(sent, received)
        val device: TestDevice = server.createDevice(vault)
        val enrolment: Enrolment

        init {
            val code = TestDevice(proxy.address, device.id, device.token).code
            File(files.root, "$vault.${DyingApp.CODE}").writeText(code)
            enrolment = Enrolment.parse(code)
            doomed.add(this)
        }
    }

    @After
    fun closeProxies(): Unit = doomed.forEach { it.proxy.close() }

    /** An app on these files, begun and killed when all its calls have come as far as they may. */
    private fun killAtTheMoment() {
        DyingApp.start(files.root, Build.VERSION.SDK_INT).use { app ->
            doomed.forEach { app.await(it.proxy::awaitMoment) }
        }
        doomed.forEach { it.proxy.letPass() }
        StandInKeystore.keptIn(File(files.root, DyingApp.KEYSTORE))
    }

    private fun <T> reopened(one: Doomed, config: AgentConfig = DyingApp.config(one.vault), use: suspend (ScannerAgent) -> T): T =
        runBlocking { ScannerAgent.open(TestApp(RuntimeEnvironment.getApplication(), files.root), config).use { use(it) } }

    private fun isInitialized(one: Doomed): Boolean = !server.device(one.device.id).isNull("initialized")

    private suspend fun assertWorks(one: Doomed, agent: ScannerAgent) {
        val identity = assertIs<DeviceState.Enrolled>(agent.state.value).identity
        assertEquals(one.device.id, identity.deviceId, one.vault)
        val answer = agent.request(ApiRequest.get("api/v1/device/info"))
        assertEquals(200, answer.status, one.vault)
        assertTrue("\"${one.vault}\"" in answer.text(), answer.text())
        assertTrue(isInitialized(one), one.vault)
    }

    @Test
    fun whenever_the_process_dies_the_next_one_finishes_what_it_began() {
        val unsent = listOf("unsent-1", "unsent-2").map { Doomed(it, sent = 0, received = 0) }
        val unread = listOf("unread-1", "unread-2").map { Doomed(it, sent = ALL, received = 0) }
        val answered = listOf("read-1", "read-2").map { Doomed(it, sent = ALL, received = ALL) }
        killAtTheMoment()
        assertEquals(listOf(false, false, true, true, true, true), (unsent + unread + answered).map(::isInitialized))

        for (one in unsent + unread + answered) {
            reopened(one) { agent ->
                if (one in unsent || one in unread) assertEquals(DeviceState.Enrolling(one.enrolment.server), agent.state.value)
                if (one.vault.endsWith("1")) agent.refresh() else agent.initialize(one.enrolment.confirmed(one.enrolment.origin))
                assertWorks(one, agent)
            }
        }
        assertEquals(6, server.devices().size)
    }

    @Test
    @Config(sdk = [27])
    fun a_server_that_is_away_meanwhile_costs_no_device_either() {
        val unsent = Doomed("unsent", sent = 0, received = 0)
        val unread = Doomed("unread", sent = ALL, received = 0)
        killAtTheMoment()
        server.stop()
        for (one in listOf(unsent, unread)) {
            val impatient = AgentConfig.Builder("pretixSCAN", "2.3.1").vaultName(one.vault).timeLimit(2, TimeUnit.SECONDS).build()
            reopened(one, impatient) { agent ->
                assertFailsWith<ConnectionException> { agent.refresh() }
                assertFailsWith<ConnectionException> { agent.initialize(one.enrolment.confirmed(one.enrolment.origin)) }
                assertEquals(DeviceState.Enrolling(one.enrolment.server), agent.state.value)
            }
        }
        server.restart()
        for (one in listOf(unsent, unread)) {
            reopened(one) { agent ->
                agent.refresh()
                assertWorks(one, agent)
            }
        }
    }

    @Test
    @Config(sdk = [27])
    fun a_process_that_dies_at_any_byte_costs_no_device() {
        val random = Random(SEED)
        val moments = HashSet<Boolean>()
        repeat(PROCESSES) { process ->
            val these = List(AT_ONCE) { Doomed("lane-$process-$it", random.nextInt(REQUEST * 2), random.nextInt(ANSWER * 2)) }
            killAtTheMoment()
            for (one in these) {
                reopened(one) { agent ->
                    moments.add(isInitialized(one))
                    agent.initialize(one.enrolment.confirmed(one.enrolment.origin))
                    assertWorks(one, agent)
                }
                File(files.root, "${one.vault}.${DyingApp.CODE}").delete()
            }
            closeProxies()
            doomed.clear()
        }
        assertEquals(PROCESSES * AT_ONCE, server.devices().size)
        // Some died before the server knew, others after.
        assertEquals(setOf(false, true), moments)
    }

    private companion object {
        const val ALL = Int.MAX_VALUE
        const val SEED = 20260827
        const val PROCESSES = 4
        const val AT_ONCE = 6

        /** About how long these are, so that every second call is stopped in the middle of it. */
        const val REQUEST = 900
        const val ANSWER = 600
    }
}
