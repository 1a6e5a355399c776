package io.gatehand.sample

import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.ManagedOutcome
import io.gatehand.VaultException
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35])
class ScreensTest {
    private fun screen(state: DeviceState, scans: Boolean = true) = screenOf(Situation(scans, state))

    @Test
    fun every_state_says_what_to_do_and_has_something_to_press() {
        for ((name, state) in STATES) {
            val screen = screen(state)
            assertTrue(screen.sentences.isNotEmpty() || state is DeviceState.Enrolled, name)
            assertTrue(screen.buttons.isNotEmpty(), name)
            assertTrue(screen.buttons.count { it.kind == Button.Kind.MAIN } <= 1, name)
        }
    }

    @Test
    fun a_state_that_only_a_new_code_ends_offers_to_type_one() {
        for (state in listOf("not enrolled", "revoked", "answer lost", "enrol again")) {
            assertTrue(screen(STATES.getValue(state)).buttons.any { it.action == Action.Type }, state)
        }
    }

    @Test
    fun a_device_without_a_scan_engine_is_not_told_to_scan() {
        val scanning = listOf(R.string.scan_the_code, R.string.scan_how, R.string.new_code_scan)
        for ((name, state) in STATES) {
            val screen = screen(state, scans = false)
            assertTrue((screen.sentences + screen.subject).none { (it as? Text.Of)?.resource in scanning }, name)
        }
    }

    @Test
    fun a_code_that_gives_something_up_names_it() {
        val rejected = STATES.getValue("rejected")
        val screen = screenOf(Situation(true, rejected, step = Step.Confirm(ENROLMENT, replaces = true)))
        assertEquals(text(R.string.gives_up_device, "Haupteingang Süd, Spur 12"), screen.sentences.first())
        assertEquals(Button.Kind.DANGER, screen.buttons.first().kind)
    }

    @Test
    fun nothing_is_asked_while_the_agent_is_not_open() {
        val screen = screenOf(Situation(true, step = Step.Confirm(ENROLMENT, replaces = false)))
        assertEquals(text(R.string.opening_title), screen.title)
        assertEquals(emptyList(), screen.buttons)
    }

    @Test
    fun management_s_enrolment_is_shown_where_it_matters() {
        val notAllowed = made(ManagedOutcome.NotAllowed::class.java, "https://elsewhere.example")
        val failed = made(ManagedOutcome.Failed::class.java, error(ErrorCode.REFUSED, "the server refused"))
        val later = made(
            ManagedOutcome.TryLater::class.java,
            made(ConnectionException::class.java, ErrorCode.UNREACHABLE, "no way", null),
        )
        val notEnrolled = Situation(true, DeviceState.NotEnrolled)
        for (outcome in listOf(notAllowed, failed, later, ManagedOutcome.AlreadyUsed)) {
            assertNotNull(screenOf(notEnrolled.copy(managed = outcome)).notice, "$outcome")
            assertNull(screenOf(Situation(true, STATES.getValue("enrolled"), managed = outcome)).notice, "$outcome")
        }
        for (outcome in listOf(ManagedOutcome.NotConfigured, ManagedOutcome.NotNeeded, ManagedOutcome.Enrolled)) {
            assertNull(screenOf(notEnrolled.copy(managed = outcome)).notice, "$outcome")
        }
    }

    @Test
    fun management_that_enrols_the_device_ends_what_the_person_was_doing() {
        val enrolled = STATES.getValue("enrolled")
        val typing = Situation(true, enrolled, step = Step.Type).withoutPointlessStep()
        assertNull(typing.step)
        val asked = Situation(true, enrolled, step = Step.Confirm(ENROLMENT, replaces = false)).withoutPointlessStep()
        assertNull(asked.step)
        assertEquals(Situation.ALREADY_ENROLLED, asked.notice)
        val revoked = Situation(true, STATES.getValue("revoked"), step = Step.Revoke).withoutPointlessStep()
        assertNull(revoked.step)
    }

    @Test
    fun every_error_is_a_sentence() {
        val app = Gate().app
        for (code in ErrorCode.entries) {
            val said = wordsOf(error(code, "raw")) as Text.Of
            val sentence = app.getString(said.resource)
            assertTrue(sentence.endsWith(".") && ' ' in sentence, "$code: $sentence")
            assertFalse(code.id in sentence, "$code: $sentence")
        }
    }

    companion object {
        fun error(code: ErrorCode, message: String): GatehandException =
            made(GatehandException::class.java, code, message, null)

        private val VAULT = made(VaultException::class.java, ErrorCode.KEYSTORE_UNAVAILABLE, "busy", null)

        val ENROLMENT = made(
            io.gatehand.Enrolment::class.java,
            "https://tickets.veranstaltungen.example/shop",
            "https://tickets.veranstaltungen.example",
            "tickets.veranstaltungen.example",
            "https://tickets.veranstaltungen.example",
            "kpp4jn8g2ynzonp6",
        )

        val STATES: Map<String, DeviceState> = mapOf(
            "not enrolled" to DeviceState.NotEnrolled,
            "enrolling" to made(DeviceState.Enrolling::class.java, identity().server),
            "enrolled" to made(DeviceState.Enrolled::class.java, identity()),
            "rejected" to made(DeviceState.Rejected::class.java, identity()),
            "revoked" to made(DeviceState.Revoked::class.java, identity()),
            "answer lost" to made(DeviceState.AnswerLost::class.java, identity().server, identity(), "advice"),
            "vault locked" to made(DeviceState.VaultLocked::class.java, VAULT),
            "enrol again" to made(DeviceState.EnrolAgain::class.java, VAULT),
        )
    }
}
