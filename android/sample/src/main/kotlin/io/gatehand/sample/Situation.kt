package io.gatehand.sample

import io.gatehand.DeviceState
import io.gatehand.Enrolment
import io.gatehand.EventSelection
import io.gatehand.GatehandException
import io.gatehand.ManagedOutcome

/**
 * All that decides what is shown.
 *
 * @property scans Whether this device has a scan engine that the app can use.
 * @property device What the device is; `null` until the agent is open.
 * @property unusable Why the agent can't be opened.
 * @property event What was last said to scan for.
 */
data class Situation(
    val scans: Boolean,
    val device: DeviceState? = null,
    val unusable: GatehandException? = null,
    val managed: ManagedOutcome = ManagedOutcome.NotConfigured,
    val step: Step? = null,
    val work: Work? = null,
    val notice: Notice? = null,
    val event: Event = Event.Unknown,
) {
    val isEnrolled: Boolean get() = device is DeviceState.Enrolled

    /** Without the step that [device] has made pointless: management may enrol it, or the server revoke it. */
    fun withoutPointlessStep(): Situation = when (step) {
        null -> this
        Step.Type -> if (isEnrolled) copy(step = null) else this
        // Unless this very enrolment is being done.
        is Step.Confirm ->
            if (isEnrolled && work == null) copy(step = null, notice = ALREADY_ENROLLED) else this
        Step.Revoke -> if (isEnrolled) this else copy(step = null)
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
    }

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
