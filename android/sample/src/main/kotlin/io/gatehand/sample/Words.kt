package io.gatehand.sample

import io.gatehand.ApiResponse
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
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
        ErrorCode.REFUSED, ErrorCode.TOKEN_REFUSED, ErrorCode.OTHER_DEVICE -> R.string.error_refused
        ErrorCode.REJECTED -> R.string.rejected_words
        ErrorCode.REVOKED -> R.string.revoked_words
        ErrorCode.UNREACHABLE, ErrorCode.SERVER_FAILED, ErrorCode.ANDROID_FAILED -> R.string.error_unreachable
        ErrorCode.TIMED_OUT -> R.string.error_timed_out
        ErrorCode.FOREIGN_ANSWER -> R.string.error_foreign
        ErrorCode.VAULT_IN_USE -> R.string.error_vault_in_use
        ErrorCode.VAULT_UNWRITABLE -> R.string.error_vault_unwritable
        ErrorCode.VAULT_DAMAGED, ErrorCode.KEY_LOST -> R.string.enrol_again_words
        ErrorCode.VAULT_TOO_NEW -> R.string.error_vault_too_new
        ErrorCode.KEYSTORE_UNAVAILABLE -> R.string.vault_locked_words
        ErrorCode.LIBRARY_UNUSABLE -> R.string.error_library
        ErrorCode.ARGUMENT_INVALID, ErrorCode.ANSWER_TOO_LARGE, ErrorCode.BODY_FAILED, ErrorCode.INTERNAL ->
            R.string.error_defect
    },
)

/** The words of the server, or of what read a code, where they tell more than ours. */
fun detailOf(error: GatehandException): String? = when (error.code) {
    ErrorCode.ENROLMENT_INVALID, ErrorCode.ENROLMENT_TOO_NEW, ErrorCode.REFUSED -> error.message
    else -> null
}

fun wordsOf(work: Work): Int = when (work) {
    Work.READ -> R.string.busy_reading
    Work.ENROL -> R.string.busy_enrolling
    Work.REFRESH, Work.CALL -> R.string.busy_asking
    Work.ROLL -> R.string.busy_rolling
    Work.REVOKE -> R.string.busy_revoking
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
