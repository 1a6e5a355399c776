package io.gatehand.life

import io.gatehand.ApiRequest
import io.gatehand.DeviceState
import io.gatehand.Heartbeat
import io.gatehand.Leftovers
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestServer
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlinx.coroutines.runBlocking
import org.junit.Before
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** What goes on while nobody looks, and what does not. */
@RunWith(RobolectricTestRunner::class)
class BackgroundTest {
    @get:Rule
    val server = TestServer()

    @Before
    fun forgetKeys() {
        StandInKeystore.reset()
    }

    @Test
    fun a_heartbeat_tells_a_worker_whether_to_come_again(): Unit = runBlocking {
        val agent = Devices.openImpatient()
        assertEquals(Heartbeat.NEEDS_PERSON, agent.heartbeat())
        agent.enrol(server.createDevice())
        assertEquals(Heartbeat.DONE, agent.heartbeat())
        server.stop()
        assertEquals(Heartbeat.TRY_LATER, agent.heartbeat())
        server.restart()
        assertEquals(Heartbeat.DONE, agent.heartbeat())
        agent.revoke()
        assertIs<DeviceState.Revoked>(agent.state.value)
        assertEquals(Heartbeat.NEEDS_PERSON, agent.heartbeat())
        agent.close()
        assertFailsWith<IllegalStateException> { agent.heartbeat() }
    }

    @Test
    @Config(sdk = [27])
    fun an_idle_agent_has_no_threads_and_wakes_up_again(): Unit = runBlocking {
        Devices.open().use { agent ->
            agent.enrol(server.createDevice())
            repeat(2) {
                assertEquals(200, agent.request(ApiRequest.get("api/v1/device/info")).status)
                Leftovers.awaitNoThreads()
                assertIs<DeviceState.Enrolled>(agent.status())
            }
        }
    }
}
