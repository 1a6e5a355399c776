package io.gatehand.misuse

import io.gatehand.AgentConfig
import io.gatehand.ApiBody
import io.gatehand.ApiRequest
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.EventSelection
import io.gatehand.EventSuggestion
import io.gatehand.ExistingIdentity
import io.gatehand.GatehandException
import io.gatehand.ScannerAgent
import io.gatehand.life.Devices
import io.gatehand.life.enrol
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestServer
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlin.test.fail
import kotlinx.coroutines.runBlocking
import org.junit.Before
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/** Texts with emoji, NUL and half characters, in each place where an app passes one. */
@RunWith(RobolectricTestRunner::class)
class StrangeTextTest {
    @get:Rule
    val server = TestServer()

    private val half = "a\uD83C"

    @Before
    fun forgetKeys() {
        StandInKeystore.reset()
    }

    /** Refused in words that name what is wrong with what. */
    private fun assertRefused(what: String, call: suspend () -> Any?) {
        val error = try {
            runBlocking { call() }
            fail("$what was taken")
        } catch (error: GatehandException) {
            assertTrue(error.code == ErrorCode.ARGUMENT_INVALID || error.code == ErrorCode.ENROLMENT_INVALID, "$what: ${error.code} ${error.message}")
            error
        } catch (error: IllegalArgumentException) {
            error
        }
        val message = error.message.orEmpty()
        assertTrue(what in message && ' ' in message, "$what: $message")
    }

    private fun open(name: String, version: String): ScannerAgent =
        ScannerAgent.open(RuntimeEnvironment.getApplication(), AgentConfig.Builder(name, version).build())

    @Test
    fun half_a_character_is_refused_wherever_it_is_passed(): Unit = runBlocking {
        assertRefused("the app's name") { AgentConfig.Builder(half, "1") }
        assertRefused("the app's version") { AgentConfig.Builder("a", half) }
        assertRefused("the scanned text") { Enrolment.parse(half) }
        assertRefused("the server's address") { Enrolment.of(half, "kpp4jn8g2ynzonp6") }
        assertRefused("the token") { Enrolment.of("https://pretix.eu", half) }
        Devices.open().use { agent ->
            agent.enrol(server.createDevice())
            assertRefused("path") { agent.request(ApiRequest.get("api/v1/$half")) }
            assertRefused("content type") { agent.request(ApiRequest.post("api/v1/x", ApiBody.bytes(ByteArray(1), half))) }
            assertRefused("event") { agent.eventSelection(EventSelection(half)) }
        }
        Devices.open("another").use { agent ->
            assertRefused("the server's address") { agent.adopt(ExistingIdentity(half, "key")) }
            assertRefused("key") { agent.adopt(ExistingIdentity(server.address, half)) }
            assertRefused("serial") { agent.adopt(ExistingIdentity(server.address, "key", half)) }
        }
    }

    @Test
    fun emoji_reach_the_server_and_nul_becomes_a_blank_in_what_is_reported(): Unit = runBlocking {
        val device = server.createDevice("Tür 🎫")
        open("Scan🎫\u0000App", "1.0 🎫").use { agent ->
            assertEquals("Tür 🎫", agent.enrol(device).name)
        }
        val known = server.device(device.id)
        assertEquals("Scan🎫 App" to "1.0 🎫", known.getString("software_brand") to known.getString("software_version"))
    }

    @Test
    fun no_text_of_a_request_breaks_out_of_its_place(): Unit = runBlocking {
        Devices.open().use { agent ->
            agent.enrol(server.createDevice())
            // No such path, but a path.
            for (path in listOf("api/v1/🎫", "api/v1/a\u0000b", "api/v1/a b", "api/v1/a\r\nX: y")) {
                assertEquals(404, agent.request(ApiRequest.get(path)).status, path)
            }
            for (path in listOf("https://evil.example/api/v1/version", "//evil.example/", "${server.address}@evil.example/", "http://[")) {
                val error = assertFailsWith<GatehandException>(path) { agent.request(ApiRequest.get(path)) }
                assertEquals(ErrorCode.ARGUMENT_INVALID, error.code, "$path: $error")
            }
            for (type in listOf("", "a\r\nX: y", "a\u0000b", "🎫\n")) {
                assertRefused("content type") { agent.request(ApiRequest.post("api/v1/x", ApiBody.bytes(ByteArray(1), type))) }
            }
            val own = ApiRequest.post("api/v1/device/roll", ApiBody.json("{}"))
            assertRefused("device/roll") { agent.request(own) }
            assertRefused("PURGE") { agent.request(ApiRequest.Builder("PURGE", "api/v1/version").build()) }
            for (event in listOf("🎫", "a\u0000b", "a&current_checkinlist=1")) {
                assertEquals(EventSuggestion.None, agent.eventSelection(EventSelection(event)), event)
            }
        }
    }

    @Test
    fun a_key_that_is_none_is_not_taken_and_not_shown(): Unit = runBlocking {
        Devices.open().use { agent ->
            for (key in listOf("", " ", "secret\r\nX: y", "secret🎫", "secret\u0000")) {
                val error = assertFailsWith<IllegalArgumentException>(key) { ExistingIdentity(server.address, key) }
                assertTrue("the key" in error.message!! && "secret" !in error.message!!, error.message)
            }
            for (address in listOf("no address", "https://", "https://a\u0000b", "ftp://pretix.eu", "https://user:pass@pretix.eu")) {
                val error = assertFailsWith<GatehandException>(address) { agent.adopt(ExistingIdentity(address, "key")) }
                assertEquals(ErrorCode.ARGUMENT_INVALID, error.code, "$address: ${error.message}")
            }
        }
    }
}
