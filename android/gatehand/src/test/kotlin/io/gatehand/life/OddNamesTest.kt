package io.gatehand.life

import io.gatehand.AgentEvent
import io.gatehand.ApiRequest
import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.DeviceStateException
import io.gatehand.DisplayText
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.EventSuggestion
import io.gatehand.Gate
import io.gatehand.GatehandException
import io.gatehand.Identity
import io.gatehand.RefusedException
import io.gatehand.ScannerAgent
import io.gatehand.life.OddNames.assertOnlyReads
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestDevice
import io.gatehand.testing.TestGateway
import io.gatehand.testing.TestServer
import io.gatehand.testing.TestServer.Companion.ORGANIZER
import java.time.Duration
import java.time.Instant
import kotlin.random.Random
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Before
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** Names are any text, and what is only shown is no reason to refuse anything. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [21, 35])
class OddNamesTest {
    @get:Rule
    val server = TestServer()

    @Before
    fun forgetKeys() {
        StandInKeystore.reset()
    }

    private fun withGateway(test: suspend (ScannerAgent, TestGateway) -> Unit): Unit = runBlocking {
        TestGateway { server.address }.use { gateway -> Devices.open().use { test(it, gateway) } }
    }

    private fun TestGateway.before(device: TestDevice) = TestDevice(address, device.id, device.token)

    /** Has the server's answers say other texts where they say the first of a pair. */
    private fun TestGateway.retell(texts: Map<String, String>) {
        retelling = { told -> texts.entries.fold(told) { body, (before, after) -> body.replace(JSONObject.quote(before), JSONObject.quote(after)) } }
    }

    /** The identity of the agent's state, which is written into a log as one line. */
    private fun ScannerAgent.identity(): Identity {
        assertOnlyReads(state.value.toString())
        return assertIs<DeviceState.Enrolled>(state.value).identity
    }

    private fun assertOnlyReads(error: GatehandException) {
        for (link in generateSequence<Throwable>(error) { it.cause }) assertOnlyReads(link.toString())
    }

    @Test
    fun a_device_lives_its_whole_life_under_every_name_that_a_server_takes() {
        val start = Instant.now().minus(Duration.ofHours(1))
        server.admin("event", "create", ORGANIZER, "museum", "--name", EVENT, "--from", "$start", "--to", "${start.plus(Duration.ofDays(1))}")
        server.admin("gate", "create", ORGANIZER, "south", "--name", GATE)
        withGateway { agent, gateway -> OddNames.forMany(CASES) { live(agent, gateway, it) } }
    }

    private suspend fun live(agent: ScannerAgent, gateway: TestGateway, random: Random) {
        val (first, second, organizer, gateName, event) = List(5) { OddNames.one(random) }
        gateway.retell(mapOf(ORGANIZER to organizer, GATE to gateName, EVENT to event))
        val device = gateway.before(server.createDeviceByApi(first, "museum"))
        val told = server.device(device.id).getString("name")
        assertContains(first, told)
        assertEquals(told to organizer, agent.enrol(device).let { it.name to it.organizer })
        assertEquals(told, agent.identity().name)
        assertOnlyReads(assertFailsWith<DeviceStateException> { agent.enrol(gateway.before(server.createDevice())) })

        val selection = assertIs<EventSuggestion.Switch>(agent.eventSelection()).selection
        assertEquals("museum" to event, selection.event to selection.eventName)
        assertOnlyReads(selection.toString())

        val renamed = server.renameByApi(device.id, second)
        server.admin("device", "move", ORGANIZER, device.id.toString(), "south")
        val changed = hearing(agent) { agent.refresh() }
        assertEquals(told to renamed, changed.before.name to changed.after.name)
        assertOnlyReads(changed.toString())
        assertEquals(renamed to gateName, agent.identity().let { it.name to it.gate?.name })

        val answer = JSONObject(agent.request(ApiRequest.get("api/v1/device/info")).text()).getJSONObject("device")
        assertEquals(renamed to gateName, answer.getString("name") to answer.getJSONObject("gate").getString("name"))
        assertEquals(EventSuggestion.None, agent.eventSelection())
        assertEquals(renamed to gateName, agent.roll().let { it.name to it.gate?.name })
        agent.revoke()
        assertEquals(renamed, assertIs<DeviceState.Revoked>(agent.state.value).identity.name)
        assertOnlyReads(assertFailsWith<RefusedException> { agent.refresh() })
    }

    /** What is told of who the device is while [what] is done. */
    private suspend fun hearing(agent: ScannerAgent, what: suspend () -> Unit): AgentEvent.IdentityChanged = withTimeout(60_000) {
        coroutineScope {
            val heard = async(Dispatchers.Default, CoroutineStart.UNDISPATCHED) { agent.events.first { it is AgentEvent.IdentityChanged } }
            what()
            heard.await() as AgentEvent.IdentityChanged
        }
    }

    /** Has the server's answers tell of the device with these values, as JSON, in their fields; `null` for a field that is missing. */
    private fun TestGateway.tellOfDevice(values: Map<String, String?>) {
        retelling = retelling@{ body ->
            val answer = JSONObject(body)
            val device = answer.optJSONObject("device") ?: answer
            if (!device.has("api_token")) return@retelling body
            for ((field, value) in values) if (value == null) device.remove(field) else device.put(field, "@$field@")
            values.entries.fold(answer.toString()) { text, (field, value) -> text.replace("\"@$field@\"", value.orEmpty()) }
        }
    }

    @Test
    fun a_usable_key_is_kept_whatever_else_the_answer_holds() {
        withGateway { agent, gateway ->
            val numbers = NUMBERS.entries.iterator()
            OddNames.forMany(NUMBERS.size) { random ->
                val texts = TEXTS.associateWith { TOLD.entries.random(random) }
                val (number, deviceId) = numbers.next()
                val (gate, itsGate) = GATES.entries.random(random)
                gateway.tellOfDevice(texts.mapValues { it.value.key } + mapOf("device_id" to number, "gate" to gate))
                val told = texts.mapValues { it.value.value }

                val device = gateway.before(server.createDevice())
                for (identity in listOf(agent.enrol(device), agent.refresh(), agent.roll(), agent.identity())) {
                    val texts = listOf(identity.organizer, identity.uniqueSerial, identity.name, identity.securityProfile)
                    assertEquals(TEXTS.map { if (it == "security_profile") told[it] else told[it].orEmpty() }, texts)
                    assertEquals(deviceId to itsGate, identity.deviceId to identity.gate)
                }
                agent.eventSelection()
                assertEquals(200, agent.request(ApiRequest.get("api/v1/device/info")).status)
                Devices.open("another").use { assertEquals(DeviceState.NotEnrolled, it.state.value) }
                agent.revoke()
                assertIs<DeviceState.Revoked>(agent.state.value)
            }
        }
    }

    @Test
    fun half_a_character_and_a_number_that_is_none_cost_no_key(): Unit = withGateway { agent, gateway ->
        for (name in listOf("\"Lane \\ud83d 1\"", "1e999")) {
            gateway.tellOfDevice(mapOf("name" to name))
            val enrolled = agent.enrol(gateway.before(server.createDevice())).name
            assertEquals(enrolled, enrolled.encodeToByteArray(throwOnInvalidSequence = true).decodeToString())
            assertEquals(enrolled, agent.refresh().name)
            agent.revoke()
        }
    }

    @Test
    fun an_event_is_taken_whatever_its_name_is_and_none_without_a_slug(): Unit = withGateway { agent, gateway ->
        agent.enrol(gateway.before(server.createDevice()))
        val names = mapOf(
            "\"\\n\"" to "\n", "null" to "", "7" to "", "[\"a\"]" to "", "\"\\ud83d\"" to "", "1e999" to "",
            "{\"de\": 7, \"en\": \"Night\\u202e\"}" to "Night\u202E",
        )
        for ((name, expected) in names) {
            gateway.answers(200, "{\"event\": {\"slug\": \"museum\", \"name\": $name}, \"subevent\": null, \"checkinlist\": 7}", paths = SELECTION)
            assertEquals(expected, assertIs<EventSuggestion.Switch>(agent.eventSelection()).selection.eventName, name)
        }
        for (slug in listOf("\"\"", "\" \\n\"", "\"\\u001c\"", "\"\\u0085\"", "7", "null")) {
            gateway.answers(200, "{\"event\": {\"slug\": $slug, \"name\": \"Night\"}, \"subevent\": null, \"checkinlist\": 7}", paths = SELECTION)
            assertEquals(ErrorCode.FOREIGN_ANSWER, assertFailsWith<ConnectionException>(slug) { agent.eventSelection() }.code, slug)
        }
    }

    @Test
    fun the_servers_words_come_in_messages_as_an_app_would_show_them(): Unit = withGateway { agent, gateway ->
        val all = (1..Char.MAX_VALUE.code).map { it.toChar() }.filterNot { it.isSurrogate() }.joinToString("") + "👩‍🚀"
        val device = gateway.before(server.createDevice())
        val enrolment = Enrolment.parse(device.code)
        for (body in listOf(JSONObject().put("detail", all), JSONObject().put("token", JSONArray().put(all)))) {
            gateway.answers(400, body.toString(), paths = setOf(TestGateway.INITIALIZE))
            val error = assertFailsWith<RefusedException> { agent.initialize(enrolment.confirmed(enrolment.origin)) }
            assertContains(error.message, DisplayText.of(all))
            assertOnlyReads(error)
        }
    }

    private companion object {
        const val CASES = 10
        const val EVENT = "Museum night"
        const val GATE = "South entrance"
        val SELECTION = setOf(TestGateway.EVENT_SELECTION)
        val TEXTS = listOf("organizer", "unique_serial", "name", "security_profile")

        /** What may stand where a text belongs, and what is made of it; `null` for nothing. */
        val TOLD: Map<String?, String?> = mapOf(
            null to null, "null" to null, "[\"a\", {\"b\": 1}]" to null, "{\"a\": \"b\"}" to null,
            "true" to "true", "-7.50" to "-7.50", "18446744073709551616" to "18446744073709551616",
            "\"\"" to "", "\"\\u0000\\n\\u202e\"" to "\u0000\n\u202E", "\"${"🎫\\u001b".repeat(2000)}\"" to "🎫\u001B".repeat(250),
        )

        /** The same for the device's number. */
        val NUMBERS: Map<String?, Long> = mapOf(
            null to 0, "null" to 0, "\"12\"" to 12, "\"x\"" to 0, "-1" to 0, "1.5" to 0, "1e999" to 0, "[7]" to 0, "0" to 0,
            "2147483648" to 2147483648, "9223372036854775807" to Long.MAX_VALUE,
            // More than Kotlin's Long holds, and than there are devices.
            "18446744073709551615" to 0,
        )

        /** The same for the gate. */
        val GATES: Map<String?, Gate?> = mapOf(
            null to null, "null" to null, "7" to null, "\"South\"" to null, "[]" to null, "{\"id\": \"x\"}" to null,
            "{\"id\": 1e30, \"name\": \"South\"}" to null,
            "{\"id\": -9223372036854775808, \"name\": null, \"identifier\": [1]}" to Gate(Long.MIN_VALUE, "", ""),
            "{\"id\": 4, \"name\": 7, \"identifier\": \"\\n\"}" to Gate(4, "7", "\n"),
        )
    }
}
