package io.gatehand.sample

import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.GatehandException

/**
 * Reads a text, and returns what it leads to in whatever situation there is by then.
 *
 * @param ticket What was read, if a ticket could be read in this way.
 */
fun readCode(ticket: String?, parse: () -> Enrolment): (Situation) -> Situation {
    val enrolment = try {
        parse()
    } catch (error: GatehandException) {
        return { it.afterNoCode(error, ticket) }
    }
    return { it.afterCode(enrolment) }
}

/** To a question, as a code can come from anybody. */
private fun Situation.afterCode(enrolment: Enrolment): Situation = when {
    isEnrolled -> copy(notice = Situation.ALREADY_ENROLLED)
    !enrolment.isSecure -> copy(notice = Notice(Tone.BAD, text(R.string.error_not_encrypted, enrolment.origin)))
    else -> copy(step = Step.Confirm(enrolment, replaces = false))
}

private fun Situation.afterNoCode(error: GatehandException, ticket: String?): Situation = when {
    isEnrolled && ticket != null && error.code == ErrorCode.ENROLMENT_INVALID -> copy(notice = onTicket(ticket))
    else -> copy(notice = noticeOf(error))
}

/**
 * A ticket was scanned. This is where an app checks it in: with its own list, or by
 * [request][io.gatehand.Agent.request] with a `POST` whose idempotency key it keeps until it
 * has the answer. The server of this repository has no tickets, so this app only says what it read.
 */
private fun onTicket(code: String): Notice {
    val shown = if (code.length > TICKET_SHOWN) code.take(TICKET_SHOWN) + "…" else code
    return Notice(Tone.PLAIN, text(R.string.ticket_read, shown))
}

private const val TICKET_SHOWN = 40
