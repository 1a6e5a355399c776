package io.gatehand.sample

import io.gatehand.AgentEvent
import io.gatehand.ApiResponse
import io.gatehand.ConnectionException
import io.gatehand.EnrolmentCodeException
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.Operation
import org.json.JSONException
import org.json.JSONObject

/** What an error means for whoever stands at the gate: what happened, and what to do. */
fun wordsOf(error: GatehandException): Text = text(
    when (error.code) {
        ErrorCode.ENROLMENT_INVALID -> R.string.error_code_invalid
        ErrorCode.ENROLMENT_TOO_NEW -> R.string.error_code_too_new
        ErrorCode.NOT_ENROLLED -> R.string.error_not_enrolled
        ErrorCode.ALREADY_ENROLLED -> R.string.error_already_enrolled
        ErrorCode.ENROLMENT_UNFINISHED -> R.string.error_unfinished
        ErrorCode.ANSWER_LOST -> R.string.answer_lost_words
        ErrorCode.REFUSED -> R.string.error_refused
        ErrorCode.TOKEN_REFUSED -> R.string.error_token_refused
        ErrorCode.OTHER_DEVICE -> R.string.error_other_device
        ErrorCode.OTHER_MEDIA_KEY -> R.string.error_other_media_key
        ErrorCode.REJECTED -> R.string.rejected_words
        ErrorCode.REVOKED -> R.string.revoked_words
        ErrorCode.UNREACHABLE -> R.string.error_unreachable
        ErrorCode.TIMED_OUT -> R.string.error_timed_out
        ErrorCode.CERTIFICATE_INVALID -> R.string.error_certificate
        ErrorCode.SERVER_FAILED -> R.string.error_server_failed
        ErrorCode.FOREIGN_ANSWER -> R.string.error_foreign
        ErrorCode.VAULT_IN_USE -> R.string.error_vault_in_use
        ErrorCode.VAULT_UNWRITABLE -> R.string.error_vault_unwritable
        ErrorCode.VAULT_DAMAGED, ErrorCode.KEY_LOST -> R.string.enrol_again_words
        ErrorCode.MEDIA_KEY_UNUSABLE -> R.string.error_media_key_unusable
        ErrorCode.VAULT_TOO_NEW -> R.string.error_vault_too_new
        ErrorCode.KEYSTORE_UNAVAILABLE -> R.string.vault_locked_words
        ErrorCode.ANDROID_FAILED -> R.string.error_android
        ErrorCode.LIBRARY_UNUSABLE -> R.string.error_library
        // ARGUMENT_INVALID, ANSWER_TOO_LARGE, BODY_FAILED and INTERNAL, and codes of a newer library.
        else -> R.string.error_defect
    },
)

/** Whether the screen of the state that this error leads to says all of it. */
val GatehandException.isSaidByState: Boolean
    get() = when (code) {
        ErrorCode.NOT_ENROLLED,
        ErrorCode.ANSWER_LOST,
        ErrorCode.REJECTED,
        ErrorCode.REVOKED,
        ErrorCode.KEY_LOST,
        ErrorCode.VAULT_DAMAGED,
        ErrorCode.KEYSTORE_UNAVAILABLE,
        -> true
        else -> false
    }

/** An error as it is shown. */
fun noticeOf(error: GatehandException): Notice {
    val passes = error is ConnectionException || error is EnrolmentCodeException
    return Notice(if (passes) Tone.WARNING else Tone.BAD, wordsOf(error), detailOf(error))
}

/** Why the key from before this app used gatehand was not taken over. */
fun oldKeyNotice(error: GatehandException): Notice = when (error.code) {
    ErrorCode.REJECTED, ErrorCode.REVOKED -> Notice(Tone.BAD, text(R.string.old_key_refused))
    else -> noticeOf(error)
}

/** Why the device was taken over without the key that it had for NFC media. */
fun mediaKeyNotice(error: GatehandException): Notice = when (error.code) {
    // Of the vault's own key these words are another screen's.
    ErrorCode.KEY_LOST -> Notice(Tone.WARNING, text(R.string.error_media_key_unusable))
    else -> Notice(Tone.WARNING, wordsOf(error))
}

/** The words of the server, or of what read a code, where they tell more than ours. */
fun detailOf(error: GatehandException): String? = when (error.code) {
    ErrorCode.ENROLMENT_INVALID, ErrorCode.ENROLMENT_TOO_NEW, ErrorCode.REFUSED, ErrorCode.TOKEN_REFUSED -> error.message
    else -> null
}

fun wordsOf(work: Work): Int = when (work) {
    Work.READ -> R.string.busy_reading
    Work.ENROL -> R.string.busy_enrolling
    Work.REFRESH, Work.CALL -> R.string.busy_asking
    Work.ROLL -> R.string.busy_rolling
    Work.REVOKE -> R.string.busy_revoking
}

/** What happened to the device; `null` for what a newer library tells, which is nothing to this app. */
fun wordsOf(event: AgentEvent): Int? = when (event) {
    is AgentEvent.IdentityChanged -> R.string.news_changed
    AgentEvent.ReportAcknowledged -> R.string.news_reported
    AgentEvent.KeyRolled -> R.string.news_rolled
    is AgentEvent.OperationFinished -> when (event.operation) {
        Operation.INITIALIZE -> R.string.news_set_up
        Operation.UPDATE -> R.string.news_reported
        Operation.ROLL -> R.string.news_rolled
        Operation.REVOKE -> R.string.news_signed_off
    }
    else -> null
}

/** What `device/info` answered. */
fun noticeOf(response: ApiResponse): Notice = when {
    response.isSuccessful -> greeting(response.text()) ?: Notice(Tone.WARNING, text(R.string.call_unreadable))
    response.status == DENIED -> Notice(Tone.WARNING, text(R.string.call_denied))
    else -> Notice(Tone.BAD, text(R.string.call_failed, response.status.toString()))
}

private fun greeting(body: String): Notice? =
    try {
        val json = JSONObject(body)
        val name = json.getJSONObject("device").getString("name")
        val version = json.getJSONObject("server").getJSONObject("version").getString("pretix")
        Notice(Tone.GOOD, text(R.string.call_done, name, version))
    } catch (_: JSONException) {
        null
    }

private const val DENIED = 403
