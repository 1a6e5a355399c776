package io.gatehand.life

import io.gatehand.ApiRequest
import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.Heartbeat
import io.gatehand.RefusedException
import io.gatehand.ScannerAgent
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestServer
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.Before
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** Access that was revoked at the server, and what the device makes of it. */
@RunWith(RobolectricTestRunner::class)
class RevocationTest {
    @get:Rule
    val server = TestServer()

    @Before
    fun forgetKeys() {
        StandInKeystore.reset()
    }

    private fun assertRevoked(error: GatehandException) {
        assertEquals(ErrorCode.REVOKED, error.code)
        assertEquals(401, assertIs<RefusedException>(error).status)
        assertTrue("revoked" in error.message, error.message)
    }

    /** Whoever watches the device hears of it. */
    private suspend fun hearing(agent: ScannerAgent, what: suspend () -> Unit): DeviceState = withTimeout(30_000) {
        coroutineScope {
            val heard = async(Dispatchers.Default, CoroutineStart.UNDISPATCHED) { agent.state.first { it is DeviceState.Revoked } }
            what()
            heard.await()
        }
    }

    @Test
    fun the_next_operation_says_so_and_a_new_code_makes_it_a_device_again(): Unit = runBlocking {
        val first = server.createDevice("Lane 1")
        Devices.open().use { agent ->
            agent.enrol(first)
            server.revoke(first.id)
            val state = hearing(agent) { assertRevoked(assertFailsWith<RefusedException> { agent.refresh() }) }
            assertEquals("Lane 1", assertIs<DeviceState.Revoked>(state).identity.name)
            assertEquals(Heartbeat.NEEDS_PERSON, agent.heartbeat())
        }
        Devices.open().use { agent ->
            assertIs<DeviceState.Revoked>(agent.state.value)
            val second = server.createDevice("Lane 2")
            assertEquals(second.id, agent.enrol(second).deviceId)
            assertEquals("Lane 2", agent.refresh().name)
        }
    }

    @Test
    fun a_plain_request_says_so_too(): Unit = runBlocking {
        val device = server.createDevice()
        Devices.open().use { agent ->
            agent.enrol(device)
            server.revoke(device.id)
            hearing(agent) {
                assertRevoked(assertFailsWith<RefusedException> { agent.request(ApiRequest.get("api/v1/device/info")) })
            }
        }
    }

    @Test
    fun a_revoked_device_asks_no_server_any_more(): Unit = runBlocking {
        val device = server.createDevice()
        Devices.open().use { agent ->
            agent.enrol(device)
            server.revoke(device.id)
            assertFailsWith<RefusedException> { agent.refresh() }
            server.stop()
            val calls = listOf<suspend () -> Any>(
                agent::refresh,
                agent::roll,
                { agent.eventSelection() },
                agent::mediumKeySets,
                { agent.request(ApiRequest.get("api/v1/device/info")) },
                { agent.stream(ApiRequest.get("api/v1/device/info")) },
            )
            for (call in calls) assertRevoked(assertFailsWith<GatehandException> { call() })
        }
    }
}
