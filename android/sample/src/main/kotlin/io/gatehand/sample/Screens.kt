package io.gatehand.sample

import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.Identity
import io.gatehand.ManagedOutcome
import io.gatehand.NativeLibraryException
import io.gatehand.datawedge.SetUpOutcome
import io.gatehand.sample.Button.Kind

/** The screen for a situation. */
fun screenOf(situation: Situation): Screen {
    // A step needs an agent to be done with.
    val step = if (situation.device == null) null else stepScreen(situation)
    val screen = step ?: stateScreen(situation)
    val tryAgain = Button(R.string.try_again, Action.TryAgain, Kind.MAIN)
    val needsButton = step == null && situation.canTryAgain && screen.buttons.none { it.kind == Kind.MAIN }
    return screen.copy(
        notice = situation.notice ?: standingNotice(situation),
        busy = situation.work?.let { text(wordsOf(it)) },
        buttons = if (needsButton) listOf(tryAgain) + screen.buttons else screen.buttons,
        leadsBack = step != null,
    )
}

/** What stays true until something is done about it. */
private fun standingNotice(situation: Situation): Notice? {
    val notice = if (situation.isEnrolled) null else managedNotice(situation.managed)
    return notice ?: situation.scanner?.let(::scannerNotice)
}

private fun scannerNotice(scanner: SetUpOutcome): Notice? = when (scanner.kind) {
    SetUpOutcome.Kind.READY -> null
    SetUpOutcome.Kind.OTHER_PROFILE -> Notice(Tone.WARNING, text(R.string.scanner_of_others))
    SetUpOutcome.Kind.FAILED -> Notice(Tone.WARNING, text(R.string.scanner_failed), "DataWedge: ${scanner.code}")
}

private fun stepScreen(situation: Situation): Screen? = when (val step = situation.step) {
    null -> null
    Step.Type -> Screen(
        title = text(R.string.type_title),
        form = true,
        buttons = listOf(
            Button(R.string.type_submit, Action.Submit, Kind.MAIN),
            Button(R.string.back, Action.Back),
        ),
    )
    is Step.Confirm -> Screen(
        title = text(R.string.confirm_title),
        tone = Tone.WARNING,
        subject = words(step.enrolment.origin),
        sentences = listOfNotNull(
            if (step.replaces) givenUp(situation.device) else null,
            text(R.string.confirm_words),
            if (step.enrolment.mapping == null) null else text(R.string.confirm_mapped),
            // While an answer is missing, it may have been this very code that was sent.
            if (step.replaces || situation.device is DeviceState.Enrolling) null else text(R.string.confirm_unsent),
        ),
        buttons = listOf(
            Button(
                if (step.replaces) R.string.confirm_replace else R.string.confirm_yes,
                step.agreement,
                if (step.replaces) Kind.DANGER else Kind.MAIN,
            ),
            Button(R.string.confirm_no, Action.Back),
        ),
    )
    Step.Maintain -> (situation.device as? DeviceState.Enrolled)?.let { maintenance(it.identity, situation) }
    Step.Revoke -> Screen(
        title = text(R.string.revoke_title),
        tone = Tone.BAD,
        subject = (situation.device as? DeviceState.Enrolled)?.let { words(nameOf(it.identity)) },
        sentences = listOf(text(R.string.revoke_words)),
        buttons = listOf(
            Button(R.string.revoke_no, Action.Back, Kind.MAIN),
            Button(R.string.revoke_yes, Action.Revoke, Kind.DANGER),
        ),
    )
}

private fun stateScreen(situation: Situation): Screen = when (val device = situation.device) {
    null -> unopened(situation)
    DeviceState.NotEnrolled -> if (situation.hasOldKey) OLD_KEY_WAITS else Screen(
        title = text(R.string.not_enrolled_title),
        subject = text(if (situation.scans) R.string.scan_the_code else R.string.open_the_link),
        sentences = listOf(text(if (situation.scans) R.string.scan_how else R.string.open_the_link_how)),
        buttons = listOf(Button(R.string.type_instead, Action.Type)),
    )
    is DeviceState.Enrolling -> Screen(
        title = text(R.string.enrolling_title),
        tone = Tone.WARNING,
        subject = words(device.server),
        sentences = listOf(text(R.string.enrolling_words)),
        buttons = listOf(Button(R.string.go_on, Action.Refresh, Kind.MAIN), Button(R.string.type_other, Action.Type)),
    )
    is DeviceState.Enrolled -> enrolled(device.identity, situation)
    is DeviceState.Rejected -> Screen(
        title = text(R.string.rejected_title),
        tone = Tone.BAD,
        subject = words(nameOf(device.identity)),
        sentences = listOf(text(R.string.rejected_words)),
        facts = factsOf(device.identity),
        buttons = listOf(Button(R.string.try_again, Action.Refresh, Kind.MAIN), Button(R.string.type_other, Action.Type)),
    )
    is DeviceState.Revoked -> Screen(
        title = text(R.string.revoked_title),
        tone = Tone.BAD,
        subject = words(nameOf(device.identity)),
        sentences = listOf(text(R.string.revoked_words), newCode(situation)),
        facts = factsOf(device.identity),
        buttons = listOf(Button(R.string.type_instead, Action.Type)),
    )
    is DeviceState.AnswerLost -> Screen(
        title = text(R.string.answer_lost_title),
        tone = Tone.BAD,
        subject = device.identity?.let { words(nameOf(it)) } ?: words(device.server),
        sentences = listOf(text(R.string.answer_lost_words), newCode(situation)),
        facts = device.identity?.let(::factsOf).orEmpty(),
        buttons = listOf(Button(R.string.type_instead, Action.Type), Button(R.string.try_again, Action.Refresh)),
    )
    is DeviceState.VaultLocked -> Screen(
        title = text(R.string.vault_locked_title),
        tone = Tone.WARNING,
        sentences = listOf(text(R.string.vault_locked_words)),
        buttons = listOf(Button(R.string.try_again, Action.Refresh, Kind.MAIN)),
    )
    is DeviceState.EnrolAgain -> Screen(
        title = text(R.string.enrol_again_title),
        tone = Tone.BAD,
        sentences = listOf(text(R.string.enrol_again_words), newCode(situation)),
        buttons = listOf(Button(R.string.type_instead, Action.Type)),
    )
}

private val OLD_KEY_WAITS = Screen(
    title = text(R.string.enrolling_title),
    tone = Tone.WARNING,
    sentences = listOf(text(R.string.old_key_waits)),
    buttons = listOf(Button(R.string.try_again, Action.TryAgain, Kind.MAIN), Button(R.string.type_other, Action.Type)),
)

private fun unopened(situation: Situation): Screen {
    val cause = situation.unusable ?: return Screen(title = text(R.string.opening_title))
    return Screen(
        title = text(R.string.unusable_title),
        tone = Tone.BAD,
        sentences = listOf(wordsOf(cause)),
        // A library that can't be loaded stays so until another app is installed.
        buttons = listOf(Button(R.string.try_again, Action.OpenAgain, Kind.MAIN)).filter { cause !is NativeLibraryException },
    )
}

/** For whoever stands at the gate: which lane this is, and for what. */
private fun enrolled(identity: Identity, situation: Situation) = Screen(
    title = text(R.string.enrolled_title),
    tone = Tone.GOOD,
    subject = words(nameOf(identity)),
    facts = listOfNotNull(
        when (val event = situation.event) {
            Event.Unknown -> null
            Event.None -> Fact(R.string.fact_event, text(R.string.event_none))
            is Event.Now -> Fact(R.string.fact_event, words(event.selection.eventName.ifEmpty { event.selection.event }))
        },
        gateOf(identity),
    ),
    buttons = listOf(Button(R.string.refresh, Action.Refresh, Kind.MAIN), Button(R.string.maintain, Action.Maintain)),
)

/** For whoever looks after the device, maybe with help over the phone. */
private fun maintenance(identity: Identity, situation: Situation) = Screen(
    title = text(R.string.maintain),
    subject = words(nameOf(identity)),
    facts = factsOf(identity) + listOfNotNull(situation.lastEvent?.let { Fact(R.string.fact_news, text(wordsOf(it))) }),
    buttons = listOf(
        Button(R.string.call, Action.Call, Kind.MAIN),
        Button(R.string.back, Action.Back),
        Button(R.string.roll, Action.Roll),
        Button(R.string.revoke, Action.AskToRevoke, Kind.DANGER),
    ),
)

/** What people call the device; its serial where the server does not tell a name. */
private fun nameOf(identity: Identity): String = identity.name.ifEmpty { identity.uniqueSerial }

/** Where the device stands, and then what people who help over the phone ask for, as far as the server tells it. */
private fun factsOf(identity: Identity): List<Fact> = listOfNotNull(
    gateOf(identity),
    fact(R.string.fact_organizer, identity.organizer),
    fact(R.string.fact_number, identity.deviceId.takeIf { it > 0 }?.toString()),
    fact(R.string.fact_serial, identity.uniqueSerial),
    fact(R.string.fact_profile, identity.securityProfile),
    Fact(R.string.fact_server, words(identity.server)),
    identity.serverVersion?.let { Fact(R.string.fact_version, text(R.string.version_of_server, it)) },
)

private fun gateOf(identity: Identity): Fact =
    Fact(R.string.fact_gate, identity.gate?.let { gate -> words(gate.name.ifEmpty { gate.identifier }) } ?: text(R.string.gate_none))

private fun fact(label: Int, value: String?): Fact? = value?.takeIf(String::isNotEmpty)?.let { Fact(label, words(it)) }

/** Where a new code comes from, and how it gets in. */
private fun newCode(situation: Situation): Text = text(if (situation.scans) R.string.new_code_scan else R.string.new_code_type)

private fun givenUp(device: DeviceState?): Text = when (device) {
    is DeviceState.Enrolling -> text(R.string.gives_up_enrolling, device.server)
    is DeviceState.Enrolled -> text(R.string.gives_up_device, nameOf(device.identity))
    is DeviceState.Rejected -> text(R.string.gives_up_device, nameOf(device.identity))
    else -> text(R.string.gives_up)
}

private fun managedNotice(outcome: ManagedOutcome): Notice? = when (outcome) {
    ManagedOutcome.NotConfigured, ManagedOutcome.NotNeeded, ManagedOutcome.Enrolled -> null
    ManagedOutcome.AlreadyUsed -> Notice(Tone.WARNING, text(R.string.managed_used))
    is ManagedOutcome.NotAllowed -> Notice(Tone.BAD, text(R.string.managed_not_allowed, outcome.origin))
    is ManagedOutcome.TryLater -> {
        val cause = outcome.cause
        val words = if (cause is ConnectionException) text(R.string.managed_later) else text(R.string.managed_later_because, wordsOf(cause))
        Notice(Tone.WARNING, words)
    }
    is ManagedOutcome.Failed -> Notice(Tone.BAD, text(R.string.managed_failed, wordsOf(outcome.cause)), detailOf(outcome.cause))
}
