package io.gatehand.life

import io.gatehand.ApiRequest
import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.RefusedException
import io.gatehand.VaultException
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestServer
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import org.junit.Before
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** More than one agent in one process. */
@RunWith(RobolectricTestRunner::class)
class TwoAgentsTest {
    @get:Rule
    val server = TestServer()

    @Before
    fun forgetKeys() {
        StandInKeystore.reset()
    }

    @Test
    fun two_vaults_are_two_devices_at_once(): Unit = runBlocking {
        val lanes = listOf("lane-1", "lane-2")
        val agents = lanes.map { Devices.open(it) }
        val devices = lanes.map(server::createDevice)
        agents.zip(devices).map { (agent, device) -> async(Dispatchers.Default) { agent.enrol(device) } }.awaitAll()

        val answers = List(CALLS) { call ->
            async(Dispatchers.Default) {
                val lane = call % lanes.size
                lane to agents[lane].request(ApiRequest.get("api/v1/device/info")).text()
            }
        }
        for ((lane, answer) in answers.awaitAll()) {
            assertTrue("\"${lanes[lane]}\"" in answer && "\"${lanes[1 - lane]}\"" !in answer, answer)
        }

        server.revoke(devices[0].id)
        assertFailsWith<RefusedException> { agents[0].request(ApiRequest.get("api/v1/device/info")) }
        agents[0].close()
        assertEquals("lane-2", agents[1].roll().name)
        assertIs<DeviceState.Enrolled>(agents[1].status())
        agents[1].close()
    }

    @Test
    fun a_second_agent_on_the_same_vault_is_refused_in_words_until_the_first_is_closed(): Unit = runBlocking {
        for (managed in listOf(true, false)) {
            val first = Devices.open { managedConfiguration(managed) }
            val error = assertFailsWith<VaultException> { Devices.open() }
            assertEquals(ErrorCode.VAULT_IN_USE, error.code)
            assertTrue("keep one agent" in error.message && "close it first" in error.message, error.message)
            first.close()
            Devices.open().use { second ->
                // Closing the first one once more takes nothing from the second.
                first.close()
                assertFailsWith<VaultException> { Devices.open() }
                assertIs<DeviceState.NotEnrolled>(second.status())
            }
        }
        Devices.open().close()
    }

    private companion object {
        const val CALLS = 40
    }
}
