package io.gatehand.sample

import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.Gate as GateOfDevice
import io.gatehand.GatehandException
import io.gatehand.ManagedOutcome
import io.gatehand.VaultException
import io.gatehand.datawedge.SetUpOutcome
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
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
    fun a_device_that_the_server_tells_nothing_of_is_shown_by_what_is_known() {
        val untold = identity("").copy(organizer = "", deviceId = 0, gate = GateOfDevice(1, "", "sued"), securityProfile = null, serverVersion = null)
        val gate = screen(DeviceState.Enrolled(untold))
        val maintenance = screenOf(Situation(true, DeviceState.Enrolled(untold), step = Step.Maintain))
        for (screen in listOf(gate, maintenance)) assertEquals(words(untold.uniqueSerial), screen.subject)
        assertEquals(listOf(words("sued")), gate.facts.map { it.value })
        assertEquals(listOf("sued", untold.uniqueSerial, untold.server).map(::words), maintenance.facts.map { it.value })
    }

    @Test
    fun a_code_that_gives_something_up_names_it() {
        val rejected = STATES.getValue("rejected")
        val screen = screenOf(Situation(true, rejected, step = Step.Confirm(ENROLMENT, replaces = true)))
        assertEquals(text(R.string.gives_up_device, "Haupteingang Süd, Spur 12"), screen.sentences.first())
        assertEquals(Button.Kind.DANGER, screen.buttons.first().kind)
    }

    @Test
    fun a_code_read_through_another_keyboard_layout_asks_to_look_at_the_address() {
        val warning = text(R.string.confirm_mapped)
        fun asked(enrolment: Enrolment) = screenOf(Situation(true, STATES.getValue("not enrolled"), step = Step.Confirm(enrolment, replaces = false)))
        assertTrue(warning in asked(MAPPED).sentences)
        assertFalse(warning in asked(ENROLMENT).sentences)
    }

    @Test
    fun nothing_is_asked_while_the_agent_is_not_open() {
        val screen = screenOf(Situation(true, step = Step.Confirm(ENROLMENT, replaces = false)))
        assertEquals(text(R.string.opening_title), screen.title)
        assertEquals(emptyList(), screen.buttons)
    }

    @Test
    fun management_s_enrolment_is_shown_where_it_matters() {
        val notAllowed = ManagedOutcome.NotAllowed("https://elsewhere.example")
        val failed = ManagedOutcome.Failed(error(ErrorCode.REFUSED, "the server refused"))
        val full = ManagedOutcome.TryLater(VaultException(ErrorCode.VAULT_UNWRITABLE, "the disk is full"))
        val notEnrolled = Situation(true, DeviceState.NotEnrolled)
        for (outcome in listOf(notAllowed, failed, LATER, full, ManagedOutcome.AlreadyUsed)) {
            assertNotNull(screenOf(notEnrolled.copy(managed = outcome)).notice, "$outcome")
            assertNull(screenOf(Situation(true, STATES.getValue("enrolled"), managed = outcome)).notice, "$outcome")
        }
        assertEquals(text(R.string.managed_later), screenOf(notEnrolled.copy(managed = LATER)).notice?.words)
        val because = text(R.string.managed_later_because, text(R.string.error_vault_unwritable))
        assertEquals(because, screenOf(notEnrolled.copy(managed = full)).notice?.words)
        for (outcome in listOf(ManagedOutcome.NotConfigured, ManagedOutcome.NotNeeded, ManagedOutcome.Enrolled)) {
            assertNull(screenOf(notEnrolled.copy(managed = outcome)).notice, "$outcome")
        }
    }

    @Test
    fun a_key_from_before_that_is_no_longer_valid_is_not_said_to_be_kept_or_deleted() {
        for (code in listOf(ErrorCode.REJECTED, ErrorCode.REVOKED)) {
            assertEquals(text(R.string.old_key_refused), oldKeyNotice(error(code, "the server refused")).words)
        }
        assertEquals(text(R.string.error_refused), oldKeyNotice(error(ErrorCode.REFUSED, "the server refused")).words)
    }

    @Test
    fun what_the_app_waits_for_can_be_tried_at_once_and_nothing_else() {
        val tryAgain = Button(R.string.try_again, Action.TryAgain, Button.Kind.MAIN)
        val notEnrolled = Situation(true, DeviceState.NotEnrolled)
        assertEquals(tryAgain, screenOf(notEnrolled.copy(managed = LATER)).buttons.first())
        assertEquals(tryAgain, screenOf(notEnrolled.copy(hasOldKey = true)).buttons.first())
        assertEquals(listOf(text(R.string.old_key_waits)), screenOf(notEnrolled.copy(hasOldKey = true)).sentences)
        assertFalse(tryAgain in screenOf(notEnrolled).buttons)
        assertFalse(tryAgain in screenOf(notEnrolled.copy(managed = LATER, step = Step.Type)).buttons)
        for ((name, state) in STATES) {
            val buttons = screenOf(Situation(true, state, managed = LATER)).buttons
            assertTrue(buttons.count { it.kind == Button.Kind.MAIN } <= 1, name)
            if (state is DeviceState.Enrolled) assertFalse(tryAgain in buttons)
        }
    }

    @Test
    fun a_scan_engine_that_can_t_be_set_up_is_told_with_its_own_word() {
        for ((name, state) in STATES) {
            val failed = SetUpOutcome(SetUpOutcome.Kind.FAILED, "PLUGIN_NOT_SUPPORTED")
            val notice = screenOf(Situation(true, state, scanner = failed)).notice
            assertEquals(Notice(Tone.WARNING, text(R.string.scanner_failed), "DataWedge: PLUGIN_NOT_SUPPORTED"), notice, name)
            val others = screenOf(Situation(true, state, scanner = SetUpOutcome(SetUpOutcome.Kind.OTHER_PROFILE))).notice
            assertEquals(text(R.string.scanner_of_others), others?.words, name)
            assertNull(screenOf(Situation(true, state, scanner = SetUpOutcome(SetUpOutcome.Kind.READY))).notice, name)
        }
    }

    @Test
    fun back_leads_out_of_a_question_a_form_and_the_maintenance_and_else_out_of_the_app() {
        val enrolled = Situation(true, STATES.getValue("enrolled"))
        for ((name, state) in STATES) assertFalse(screenOf(Situation(true, state)).leadsBack, name)
        val inside = listOf(
            Situation(true, STATES.getValue("not enrolled"), step = Step.Type),
            Situation(true, STATES.getValue("not enrolled"), step = Step.Confirm(ENROLMENT, replaces = false)),
            enrolled.copy(step = Step.Maintain),
            enrolled.copy(step = Step.Revoke),
        )
        for (situation in inside) assertTrue(screenOf(situation).leadsBack, "${situation.step}")
    }

    @Test
    fun a_gate_sees_neither_keys_nor_danger_and_maintenance_has_them_all() {
        val enrolled = Situation(true, STATES.getValue("enrolled"))
        assertEquals(listOf(Action.Refresh, Action.Maintain), screenOf(enrolled).buttons.map { it.action })
        val maintenance = screenOf(enrolled.copy(step = Step.Maintain))
        assertEquals(listOf(Action.Call, Action.Back, Action.Roll, Action.AskToRevoke), maintenance.buttons.map { it.action })
        assertNull(Situation(true, STATES.getValue("revoked"), step = Step.Maintain).withoutPointlessStep().step)
    }

    @Test
    fun who_replaces_a_device_is_told_to_revoke_it_on_the_server() {
        val app = Gate().app
        for ((language, word) in mapOf("+en" to "revoke it there", "+de" to "Sperren Sie es danach dort")) {
            RuntimeEnvironment.setQualifiers(language)
            for (words in listOf(R.string.gives_up_device, R.string.gives_up)) {
                assertTrue(word in app.getString(words, "Lane 1"), app.getString(words, "Lane 1"))
            }
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
        fun error(code: ErrorCode, message: String) = GatehandException(code, message)

        private val VAULT = VaultException(ErrorCode.KEYSTORE_UNAVAILABLE, "busy")

        val LATER = ManagedOutcome.TryLater(ConnectionException(ErrorCode.UNREACHABLE, "no way"))

        val ENROLMENT = enrolment()

        /** One that a scanner typed through another keyboard layout. */
        val MAPPED = enrolment("the scanner is set to a US keyboard and this system to a German one")

        val STATES: Map<String, DeviceState> = mapOf(
            "not enrolled" to DeviceState.NotEnrolled,
            "enrolling" to DeviceState.Enrolling(identity().server),
            "enrolled" to DeviceState.Enrolled(identity()),
            "rejected" to DeviceState.Rejected(identity()),
            "revoked" to DeviceState.Revoked(identity()),
            "answer lost" to DeviceState.AnswerLost(identity().server, identity(), "advice"),
            "vault locked" to DeviceState.VaultLocked(VAULT),
            "enrol again" to DeviceState.EnrolAgain(VAULT),
        )
    }
}
