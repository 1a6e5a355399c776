package io.gatehand.life

import io.gatehand.ApiBody
import io.gatehand.ApiRequest
import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.EventSelection
import io.gatehand.EventSuggestion
import io.gatehand.GatehandException
import io.gatehand.Heartbeat
import io.gatehand.RefusedException
import io.gatehand.ScannerAgent
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestDevice
import io.gatehand.testing.TestGateway
import io.gatehand.testing.TestServer
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotEquals
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.Before
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** What a gateway or a hotspot answers in the server's place, and what goes through it. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [27])
class GatewayTest {
    @get:Rule
    val server = TestServer()

    @Before
    fun forgetKeys() {
        StandInKeystore.reset()
    }

    private fun enrolled(test: suspend (ScannerAgent, TestGateway) -> Unit): Unit = runBlocking {
        TestGateway { server.address }.use { gateway ->
            Devices.openImpatient().use { agent ->
                val device = server.createDevice()
                agent.enrol(TestDevice(gateway.address, device.id, device.token))
                test(agent, gateway)
            }
        }
    }

    @Test
    fun a_server_that_fails_is_no_login_page_and_passes(): Unit = enrolled { agent, gateway ->
        for (status in listOf(404, 409, 429, 500, 502, 503)) {
            gateway.answers(status)
            val error = assertFailsWith<ConnectionException> { agent.refresh() }
            assertEquals(ErrorCode.SERVER_FAILED to status, error.code to error.status)
            assertTrue(error.isTemporary)
            assertEquals(Heartbeat.TRY_LATER, agent.heartbeat())
        }
        gateway.answer = null
        assertEquals(Heartbeat.DONE, agent.heartbeat())
    }

    @Test
    fun what_answers_in_the_servers_place_is_something_else_and_passes(): Unit = enrolled { agent, gateway ->
        for (status in listOf(200, 302, 403)) {
            gateway.answers(status, "<html>Log in</html>", "text/html")
            val error = assertFailsWith<ConnectionException> { agent.refresh() }
            assertEquals(ErrorCode.FOREIGN_ANSWER, error.code)
            assertNull(error.status)
            assertEquals(Heartbeat.TRY_LATER, agent.heartbeat())
        }
    }

    @Test
    fun a_refusal_that_may_be_a_gateways_passes(): Unit = enrolled { agent, gateway ->
        gateway.answers(403)
        val error = assertFailsWith<RefusedException> { agent.refresh() }
        assertEquals(ErrorCode.REFUSED to 403, error.code to error.status)
        assertEquals(Heartbeat.TRY_LATER, agent.heartbeat())
        // A key that is said to be not valid is for a person to look at, and still tried again.
        gateway.answers(401)
        assertEquals(Heartbeat.NEEDS_PERSON, agent.heartbeat())
        assertIs<DeviceState.Rejected>(agent.state.value)
        gateway.answer = null
        assertEquals(Heartbeat.DONE, agent.heartbeat())
        assertIs<DeviceState.Enrolled>(agent.state.value)
    }

    @Test
    fun an_event_without_a_slug_is_none_of_the_servers(): Unit = enrolled { agent, gateway ->
        gateway.answers(200, """{"event": {"slug": "museum", "name": "Museum night"}, "subevent": null, "checkinlist": 7}""")
        assertEquals(EventSuggestion.Switch(EventSelection("museum", "Museum night", null, 7)), agent.eventSelection())
        gateway.answers(200, """{"event": {"slug": "", "name": "Museum night"}, "subevent": null, "checkinlist": 7}""")
        assertEquals(ErrorCode.FOREIGN_ANSWER, assertFailsWith<ConnectionException> { agent.eventSelection() }.code)
    }

    @Test
    fun a_token_that_nobody_knows_is_said_to_be_perhaps_cut_short_or_replaced(): Unit = runBlocking {
        val device = server.createDevice()
        Devices.open().use { agent ->
            val error = assertFailsWith<RefusedException> { agent.enrol(TestDevice(server.address, device.id, device.token.reversed())) }
            assertEquals(ErrorCode.TOKEN_REFUSED, error.code)
            assertTrue("token; check that the code is whole" in error.message, error.message)
        }
    }

    @Test
    fun errors_say_what_to_do(): Unit = enrolled { agent, gateway ->
        gateway.answers(503)
        assertTrue("try again later" in assertFailsWith<ConnectionException> { agent.refresh() }.message)
        gateway.answers(200, "<html>", "text/html")
        assertTrue("login" in assertFailsWith<ConnectionException> { agent.refresh() }.message)
        gateway.close()
        val error = assertFailsWith<ConnectionException> { agent.refresh() }
        assertEquals(ErrorCode.UNREACHABLE, error.code)
        assertTrue("check this device's network" in error.message, error.message)
    }

    @Test
    fun headers_of_the_app_go_along_but_none_of_the_agents(): Unit = enrolled { agent, gateway ->
        val read = ApiRequest.Builder("GET", "/api/v1/device/info")
            .header("If-Modified-Since", "Sat, 01 Aug 2026 10:00:00 GMT").header("accept-language", "de")
        agent.request(read.build())
        agent.stream(read.build()).close()
        for (seen in gateway.seen.takeLast(2)) {
            assertEquals("Sat, 01 Aug 2026 10:00:00 GMT", seen.headers["if-modified-since"])
            assertEquals("de", seen.headers["accept-language"])
            assertTrue(seen.headers.getValue("authorization").startsWith("Device "))
        }
        val before = gateway.seen.size
        for (name in listOf("Authorization", "host", "Cookie", "X-Idempotency-Key", "Content-Length", "Connection", "User-Agent")) {
            val error = assertFailsWith<GatehandException>(name) { agent.request(ApiRequest.Builder("GET", "/api/v1/device/info").header(name, "x").build()) }
            assertEquals(ErrorCode.ARGUMENT_INVALID, error.code)
            assertTrue(name in error.message, error.message)
        }
        assertEquals(before, gateway.seen.size)
    }

    @Test
    fun each_change_has_an_idempotency_key_of_its_own(): Unit = enrolled { agent, gateway ->
        val body = ApiBody.json("{}")
        val requests = listOf(ApiRequest.post("/api/v1/x", body), ApiRequest.put("/api/v1/x", body), ApiRequest.patch("/api/v1/x", body), ApiRequest.delete("/api/v1/x"))
        gateway.answers(200)
        requests.forEach { agent.request(it) }
        val seen = gateway.seen.takeLast(requests.size)
        assertEquals(listOf("POST", "PUT", "PATCH", "DELETE"), seen.map { it.method })
        assertEquals(requests.size, seen.mapNotNull { it.headers["x-idempotency-key"] }.toSet().size)
    }

    @Test
    fun what_is_to_be_sent_once_is_not_sent_again(): Unit = runBlocking {
        TestGateway { server.address }.use { gateway ->
            // Long enough for repetitions.
            Devices.open { connectTimeout(1, TimeUnit.SECONDS).timeLimit(4, TimeUnit.SECONDS) }.use { agent ->
                val device = server.createDevice()
                agent.enrol(TestDevice(gateway.address, device.id, device.token))
                gateway.answers(503)
                val sent = { gateway.seen.count { it.path == "/api/v1/x" } }
                val post = { ApiRequest.Builder("POST", "/api/v1/x").body(ApiBody.json("{}")) }
                assertEquals(503, agent.request(post().once().build()).status)
                assertEquals(1, sent())
                assertEquals(503, agent.request(post().build()).status)
                assertNotEquals(2, sent())
                assertEquals(2, gateway.seen.filter { it.path == "/api/v1/x" }.map { it.headers["x-idempotency-key"] }.toSet().size)
            }
        }
    }
}
