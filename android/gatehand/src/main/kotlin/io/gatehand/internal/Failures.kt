package io.gatehand.internal

import io.gatehand.ErrorCode
import io.gatehand.GatehandException
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
            read(JSONObject(error.decodeToString()))
        } catch (unreadable: JSONException) {
            unreadable(unreadable)
        }

    /** The same for JSON that was read. */
    fun read(json: JSONObject): Throwable =
        try {
            val message = json.getString("message")
            val cause = chain(json.optJSONArray("causes"))
            when (json.getString("code")) {
                "closed", "own_thread" -> IllegalStateException(message, cause)
                "cancelled" -> CancellationException(message)
                else -> GatehandException.of(ErrorCode.of(json.getString("code")), message, json.optInt("status"), cause)
            }
        } catch (unreadable: JSONException) {
            unreadable(unreadable)
        }

    private fun unreadable(cause: JSONException) =
        GatehandException(ErrorCode.INTERNAL, "the native library reported an error that can't be read", cause)

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
