package io.gatehand.fake

import io.gatehand.AgentEvent
import io.gatehand.ApiBody
import io.gatehand.ApiRequest
import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.DeviceStateException
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.EventSelection
import io.gatehand.EventSuggestion
import io.gatehand.ExistingIdentity
import io.gatehand.GatehandException
import io.gatehand.Heartbeat
import io.gatehand.Identity
import io.gatehand.ManagedOutcome
import io.gatehand.MediumKeySet
import io.gatehand.Operation
import io.gatehand.RefusedException
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.UnconfinedTestDispatcher
import kotlinx.coroutines.test.runTest

/** As an app's tests use it: on a plain JVM. */
class FakeAgentTest {
    private val agent = FakeAgent()
    private val enrolment = Enrolment.Builder("https://pretix.eu/tickets", "kpp4jn8g2ynzonp6").build()
    private val confirmed = enrolment.confirmed("https://pretix.eu")

    @Test
    fun there_is_neither_android_nor_the_native_library() {
        assertFailsWith<ClassNotFoundException> { Class.forName("android.content.Context") }
        assertFailsWith<LinkageError> { Enrolment.parse("x") }
    }

    @Test
    fun a_whole_life_changes_the_state_as_a_real_agents_does() = runTest {
        val needsKey = listOf<suspend () -> Any>({ agent.refresh() }, { agent.roll() }, { agent.revoke() }, { agent.request(CALL) })
        for (operation in needsKey) assertEquals(ErrorCode.NOT_ENROLLED, assertFailsWith<DeviceStateException> { operation() }.code)
        val identity = agent.initialize(confirmed)
        assertEquals(DeviceState.Enrolled(identity), agent.state.value)
        assertEquals(ErrorCode.ALREADY_ENROLLED, assertFailsWith<DeviceStateException> { agent.initialize(confirmed) }.code)
        assertEquals(identity, agent.initialize(confirmed, replace = true))
        assertEquals(identity, agent.roll())
        assertEquals(Heartbeat.DONE, agent.heartbeat())
        agent.revoke()
        assertEquals(DeviceState.Revoked(identity), agent.status())
        for (operation in needsKey) assertEquals(ErrorCode.REVOKED, assertFailsWith<RefusedException> { operation() }.code)
        assertEquals(identity, agent.adopt(ExistingIdentity("https://pretix.eu/tickets", "key")))
    }

    @Test
    fun it_is_a_device_of_the_server_that_it_was_enrolled_at_unless_a_test_says_another() = runTest {
        assertEquals("https://pretix.eu/tickets", agent.initialize(confirmed).server)
        assertEquals("https://pretix.eu/tickets", agent.refresh().server)
        val adopting = FakeAgent()
        assertEquals("https://tickets.example", adopting.adopt(ExistingIdentity("tickets.example", "key")).server)
        val enrolling = FakeAgent(DeviceState.Enrolling("https://tickets.example"))
        assertEquals("https://tickets.example", enrolling.refresh().server)
        val other = Identity.Builder("https://elsewhere.example").build()
        agent.identity = other
        assertEquals(other, agent.initialize(confirmed, replace = true))
    }

    @Test
    fun calls_are_answered_as_the_test_says_and_remembered() = runTest {
        agent.initialize(confirmed)
        assertEquals(404, agent.request(CALL).status)
        agent.answers = { FakeAgent.json("""{"path": "${it.path}"}""") }
        val post = ApiRequest.post("/api/v1/redeem", ApiBody.json("""{"secret": "s"}"""))
        assertEquals("""{"path": "/api/v1/redeem"}""", agent.request(post).text())
        assertEquals("""{"path": "/api/v1/version"}""", agent.stream(CALL).use { it.body.reader().readText() })
        assertEquals(listOf(CALL, post, CALL), agent.requests)
        assertEquals("""{"secret": "s"}""", agent.requests[1].body?.open()?.reader()?.readText())
    }

    @Test
    fun operations_fail_as_the_test_says_by_code_once_or_until_told_otherwise() = runTest {
        agent.initialize(confirmed)
        agent.failNext(ErrorCode.UNREACHABLE)
        assertTrue(assertFailsWith<ConnectionException> { agent.request(CALL) }.isTemporary)
        agent.request(CALL)
        agent.failAlways(ErrorCode.KEY_LOST)
        repeat(2) { assertEquals(Heartbeat.NEEDS_PERSON, agent.heartbeat()) }
        agent.failNoMore()
        agent.failNext(ErrorCode.TIMED_OUT)
        assertEquals(Heartbeat.TRY_LATER, agent.heartbeat())
        agent.failNext(ErrorCode.REJECTED)
        assertFailsWith<RefusedException> { agent.request(CALL) }
        assertIs<DeviceState.Rejected>(agent.state.value)
        agent.refresh()
        assertIs<DeviceState.Enrolled>(agent.state.value)
    }

    @Test
    fun key_sets_that_were_told_are_there_while_the_server_is_away() = runTest {
        agent.initialize(confirmed)
        agent.failNext(ErrorCode.UNREACHABLE)
        assertFailsWith<ConnectionException> { agent.mediumKeySets() }
        agent.keySets = listOf(MediumKeySet(7, "bigevents", true, "nfc_mf0aes", ByteArray(16), ByteArray(16)))
        assertEquals(agent.keySets, agent.mediumKeySets())
        assertFalse(agent.mediumKeySets().isFromVault)
        agent.keySets = emptyList()
        agent.failNext(ErrorCode.TIMED_OUT)
        val kept = agent.mediumKeySets()
        assertEquals(7 to ErrorCode.TIMED_OUT, kept.single().publicId.toInt() to kept.unasked?.code)
        agent.failNext(ErrorCode.REFUSED)
        assertFailsWith<RefusedException> { agent.mediumKeySets() }
        agent.initialize(confirmed, replace = true)
        agent.failNext(ErrorCode.UNREACHABLE)
        assertFailsWith<ConnectionException> { agent.mediumKeySets() }
    }

    @Test
    fun each_code_comes_in_the_class_that_belongs_to_it() = runTest {
        for (code in ErrorCode.entries) {
            agent.failNext(code)
            val error = assertFailsWith<GatehandException> { agent.refresh() }
            assertEquals(code to GatehandException.of(code, "m").javaClass, error.code to error.javaClass)
        }
    }

    @OptIn(ExperimentalCoroutinesApi::class)
    @Test
    fun states_events_and_outcomes_are_the_tests() = runTest {
        val events = ArrayList<AgentEvent>()
        val collecting = launch(UnconfinedTestDispatcher(testScheduler)) { agent.events.collect(events::add) }
        agent.initialize(confirmed)
        agent.tell(AgentEvent.KeyRolled)
        assertEquals(listOf(AgentEvent.OperationFinished(Operation.INITIALIZE), AgentEvent.KeyRolled), events)
        collecting.cancel()
        agent.tell(ManagedOutcome.AlreadyUsed)
        assertEquals(ManagedOutcome.AlreadyUsed, agent.managedOutcome.value)
        agent.become(DeviceState.Enrolling("https://pretix.eu"))
        assertEquals(DeviceState.Enrolling("https://pretix.eu"), agent.status())
        agent.suggestion = EventSuggestion.Switch(EventSelection("museum"))
        agent.refresh()
        assertEquals(EventSuggestion.Switch(EventSelection("museum")), agent.eventSelection())
    }

    @Test
    fun java_has_it_too() {
        val states = JavaFake.live(agent, confirmed)
        assertEquals(listOf("NotEnrolled", "Revoked"), listOf(states.first(), states.last()))
    }

    @Test
    fun after_close_it_says_so() = runTest {
        agent.close()
        for (operation in listOf<suspend () -> Any>({ agent.refresh() }, { agent.status() }, { agent.heartbeat() })) {
            assertFailsWith<IllegalStateException> { operation() }
        }
    }

    private companion object {
        val CALL = ApiRequest.get("/api/v1/version")
    }
}
