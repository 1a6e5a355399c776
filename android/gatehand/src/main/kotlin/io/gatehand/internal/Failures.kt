package io.gatehand.internal

import io.gatehand.ConnectionException
import io.gatehand.DeviceStateException
import io.gatehand.EnrolmentCodeException
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.NativeLibraryException
import io.gatehand.RefusedException
import io.gatehand.VaultException
import java.util.concurrent.CancellationException
import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject

/** Makes exceptions of what the native library says of an error. */
@CalledFromNative
internal object Failures {
    /** The exception for an error's JSON; never throws one itself. */
    @JvmStatic
    @CalledFromNative
    fun exception(error: ByteArray): Throwable =
        try {
            val json = JSONObject(error.decodeToString())
            val message = json.getString("message")
            val cause = chain(json.optJSONArray("causes"))
            when (json.getString("code")) {
                "closed", "own_thread" -> IllegalStateException(message, cause)
                "cancelled" -> CancellationException(message)
                else -> of(ErrorCode.of(json.getString("code")), message, json.optInt("status"), cause)
            }
        } catch (unreadable: JSONException) {
            GatehandException(ErrorCode.INTERNAL, "the native library reported an error that can't be read", unreadable)
        }

    private fun of(code: ErrorCode, message: String, status: Int, cause: Throwable?): GatehandException =
        when (code) {
            ErrorCode.ENROLMENT_INVALID, ErrorCode.ENROLMENT_TOO_NEW -> EnrolmentCodeException(code, message, cause)
            ErrorCode.NOT_ENROLLED, ErrorCode.ALREADY_ENROLLED, ErrorCode.ENROLMENT_UNFINISHED, ErrorCode.ANSWER_LOST ->
                DeviceStateException(code, message, cause)
            ErrorCode.REFUSED, ErrorCode.TOKEN_REFUSED, ErrorCode.OTHER_DEVICE, ErrorCode.REJECTED, ErrorCode.REVOKED ->
                RefusedException(code, message, status, cause)
            ErrorCode.UNREACHABLE, ErrorCode.TIMED_OUT, ErrorCode.CERTIFICATE_INVALID, ErrorCode.SERVER_FAILED,
            ErrorCode.FOREIGN_ANSWER,
            ->
                ConnectionException(code, message, status.takeIf { it > 0 }, cause)
            ErrorCode.VAULT_IN_USE, ErrorCode.VAULT_UNWRITABLE, ErrorCode.VAULT_DAMAGED, ErrorCode.VAULT_TOO_NEW,
            ErrorCode.KEY_LOST, ErrorCode.KEYSTORE_UNAVAILABLE,
            -> VaultException(code, message, cause)
            ErrorCode.LIBRARY_UNUSABLE -> NativeLibraryException(message, cause)
            ErrorCode.ARGUMENT_INVALID, ErrorCode.ANSWER_TOO_LARGE, ErrorCode.BODY_FAILED, ErrorCode.ANDROID_FAILED,
            ErrorCode.INTERNAL,
            ->
                GatehandException(code, message, cause)
        }

    private fun chain(causes: JSONArray?): Throwable? {
        var cause: Throwable? = null
        for (index in (causes?.length() ?: 0) - 1 downTo 0) {
            cause = NativeCause(causes?.optString(index).orEmpty(), cause)
        }
        return cause
    }
}

/** One link of the chain of causes inside the native library, which has no Java stack. */
internal class NativeCause(override val message: String, cause: Throwable?) : Exception(message, cause) {
    override fun fillInStackTrace(): Throwable = this

    override fun toString(): String = message
}
