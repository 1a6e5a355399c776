package io.gatehand.sample

import io.gatehand.AgentEvent
import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.EventSelection
import io.gatehand.GatehandException
import io.gatehand.ManagedOutcome
import io.gatehand.datawedge.SetUpOutcome

/**
 * All that decides what is shown.
 *
 * @property scans Whether this device has a scan engine that the app can use.
 * @property device What the device is; `null` until the agent is open.
 * @property unusable Why the agent can't be opened.
 * @property managed What became of an enrolment by the device's management.
 * @property hasOldKey Whether a key from before gatehand waits for its server.
 * @property scanner What became of setting the scan engine up, once that is known.
 * @property event What was last said to scan for.
 * @property lastEvent What last happened to the device since the app started.
 */
data class Situation(
    val scans: Boolean,
    val device: DeviceState? = null,
    val unusable: GatehandException? = null,
    val managed: ManagedOutcome = ManagedOutcome.NotConfigured,
    val hasOldKey: Boolean = false,
    val scanner: SetUpOutcome? = null,
    val step: Step? = null,
    val work: Work? = null,
    val notice: Notice? = null,
    val event: Event = Event.Unknown,
    val lastEvent: AgentEvent? = null,
) {
    val isEnrolled: Boolean get() = device is DeviceState.Enrolled

    /** Whether a question is open that a second code must not change. */
    val isAsking: Boolean get() = step is Step.Confirm || step is Step.Revoke

    /** Whether management's enrolment waits, and a person may have it tried at once. */
    val canTryAgain: Boolean get() = !isEnrolled && managed is ManagedOutcome.TryLater

    /** Without the step that [device] has made pointless: management may enrol it, or the server revoke it. */
    fun withoutPointlessStep(): Situation = when (step) {
        null -> this
        Step.Type -> if (isEnrolled) copy(step = null) else this
        // Unless this very enrolment is being done.
        is Step.Confirm ->
            if (isEnrolled && work == null) copy(step = null, notice = ALREADY_ENROLLED) else this
        Step.Maintain, Step.Revoke -> if (isEnrolled) this else copy(step = null)
    }

    companion object {
        /** What is said of a code that comes too late. */
        val ALREADY_ENROLLED = Notice(Tone.WARNING, text(R.string.error_already_enrolled))
    }
}

/** What the person is in the middle of. */
sealed interface Step {
    /** Typing address and token. */
    data object Type : Step

    /**
     * Reading which server a code is for.
     *
     * @property replaces Whether the device is known to have something that this would give up.
     */
    data class Confirm(val enrolment: Enrolment, val replaces: Boolean) : Step {
        /** What a person says yes to. */
        val agreement: Action.Enrol get() = Action.Enrol(enrolment.origin, replaces)

        /** What is begun or over is not asked again; what was not sent can be tried again without a second scan. */
        fun after(error: GatehandException, state: DeviceState): Confirm? = when {
            error.code == ErrorCode.ALREADY_ENROLLED || error.code == ErrorCode.ENROLMENT_UNFINISHED -> copy(replaces = true)
            error is ConnectionException && state !is DeviceState.Enrolling -> this
            else -> null
        }
    }

    /** Looking after the device, and not after a gate. */
    data object Maintain : Step

    /** Thinking about whether to give the device up. */
    data object Revoke : Step
}

/** What is under way. */
enum class Work { READ, ENROL, REFRESH, CALL, ROLL, REVOKE }

/** What to scan for. */
sealed interface Event {
    data object Unknown : Event

    data object None : Event

    data class Now(val selection: EventSelection) : Event
}
