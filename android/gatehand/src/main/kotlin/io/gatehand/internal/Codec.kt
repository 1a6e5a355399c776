package io.gatehand.internal

import android.util.Base64
import io.gatehand.AgentEvent
import io.gatehand.ApiBody
import io.gatehand.ApiHeaders
import io.gatehand.ApiRequest
import io.gatehand.ConfirmedEnrolment
import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.EventSelection
import io.gatehand.EventSuggestion
import io.gatehand.ExistingIdentity
import io.gatehand.GatehandException
import io.gatehand.Gate
import io.gatehand.Identity
import io.gatehand.MediumKeySet
import io.gatehand.MediumKeySets
import io.gatehand.Operation
import io.gatehand.internal.keystore.OtherKeyException
import java.nio.charset.CharacterCodingException
import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject

/** Turns what crosses the border to the native library into objects and back; shapes as in Native.kt. */
internal object Codec {
    /**
     * Text as UTF-8.
     *
     * @throws GatehandException It has half a surrogate pair, which no encoding of it could keep.
     */
    fun text(text: String, what: String): ByteArray =
        try {
            text.encodeToByteArray(throwOnInvalidSequence = true)
        } catch (broken: CharacterCodingException) {
            throw GatehandException(
                ErrorCode.ARGUMENT_INVALID,
                "$what has half a character (a lone surrogate) in it: read it again from where it came from",
                broken,
            )
        }

    /** An enrolment; wipes [bytes], as they hold its token. */
    fun enrolment(bytes: ByteArray): Enrolment = decodeAndWipe(bytes) { json ->
        Enrolment(
            server = json.getString("server"),
            origin = json.getString("origin"),
            exactOrigin = json.getString("exact_origin"),
            host = json.getString("host"),
            isSecure = json.getBoolean("is_secure"),
            token = json.getString("token"),
            otherTokens = json.getJSONArray("other_tokens").let { others -> List(others.length(), others::getString) },
            mapping = json.text("mapping"),
        )
    }

    fun encode(confirmed: ConfirmedEnrolment): ByteArray = with(confirmed.enrolment) {
        encode(JSONObject().put("server", server).put("token", token).put("other_tokens", JSONArray(otherTokens)))
    }

    /** @param publicKey The public half of its media key, in PEM. */
    fun encode(existing: ExistingIdentity, publicKey: String? = null): ByteArray = encode(
        JSONObject().put("server", existing.server).put("key", existing.key)
            .putOpt("unique_serial", existing.uniqueSerial)
            .putOpt("media_key", publicKey?.let { JSONObject().put("alias", existing.mediaKeyAlias).put("public_key", it) }),
    )

    fun encode(current: EventSelection?): ByteArray = encode(
        JSONObject().putOpt("event", current?.event).putOpt("subevent", current?.subevent)
            .putOpt("checkin_list", current?.checkinList),
    )

    fun encode(request: ApiRequest): ByteArray = encode(
        JSONObject().put("method", request.method).put("path", request.path)
            .putOpt("content_type", request.body?.contentType)
            .putOpt("content_length", (request.body as? ApiBody.Stream)?.length?.takeIf { it >= 0 })
            .putOpt("headers", request.headers.ifEmpty { null }?.let(::pairs))
            .putOpt("once", true.takeIf { request.once })
            .putOpt("idempotency_key", request.idempotencyKey)
            .putOpt("time_limit_ms", request.timeLimitMillis)
            .putOpt("read_timeout_ms", request.readTimeoutMillis),
    )

    private fun pairs(headers: List<Pair<String, String>>) =
        JSONArray(headers.map { (name, value) -> JSONArray(listOf(name, value)) })

    fun encode(json: JSONObject): ByteArray = text(json.toString(), "a text")

    fun state(bytes: ByteArray): DeviceState = decode(bytes) { json ->
        when (val state = json.getString("state")) {
            "not_enrolled" -> DeviceState.NotEnrolled
            "enrolling" -> DeviceState.Enrolling(json.getString("server"))
            "enrolled" -> DeviceState.Enrolled(identity(json.getJSONObject("identity")))
            "rejected" -> DeviceState.Rejected(identity(json.getJSONObject("identity")))
            "revoked" -> DeviceState.Revoked(identity(json.getJSONObject("identity")))
            "answer_lost" -> DeviceState.AnswerLost(
                json.getString("server"),
                json.optJSONObject("identity")?.let(::identity),
                json.getString("advice"),
            )
            else -> throw JSONException("the state $state is not known")
        }
    }

    /** The event, or `null` for one that only says that the state is another. */
    fun event(bytes: ByteArray): AgentEvent? = decode(bytes) { json ->
        when (json.getString("event")) {
            "identity_changed" -> AgentEvent.IdentityChanged(
                identity(json.getJSONObject("before")),
                identity(json.getJSONObject("after")),
            )
            "report_acknowledged" -> AgentEvent.ReportAcknowledged
            "key_rolled" -> AgentEvent.KeyRolled
            "operation_finished" -> AgentEvent.OperationFinished(operation(json.getString("operation")))
            else -> null
        }
    }

    private fun operation(name: String): Operation =
        Operation.entries.firstOrNull { it.name.lowercase() == name } ?: throw JSONException("the operation $name is not known")

    fun suggestion(bytes: ByteArray): EventSuggestion = decode(bytes) { json ->
        when (val suggestion = json.getString("suggestion")) {
            "keep" -> EventSuggestion.Keep
            "nothing" -> EventSuggestion.None
            "switch" -> EventSuggestion.Switch(
                EventSelection(
                    json.getString("event"),
                    json.optString("event_name"),
                    json.number("subevent"),
                    json.number("checkin_list"),
                ),
            )
            else -> throw JSONException("the suggestion $suggestion is not known")
        }
    }

    /** Status and header fields of an answer. */
    fun head(bytes: ByteArray): Pair<Int, ApiHeaders> = decode(bytes) { json ->
        val fields = json.getJSONArray("headers")
        val headers = List(fields.length()) { index ->
            val field = fields.getJSONArray(index)
            field.getString(0) to field.getString(1)
        }
        json.getInt("status") to ApiHeaders(headers)
    }

    /** Key sets; [decrypt] opens the keys that are encrypted to the Keystore's key. Wipes [bytes]. */
    fun mediumKeySets(bytes: ByteArray, decrypt: (ByteArray) -> ByteArray): MediumKeySets = decodeAndWipe(bytes) { json ->
        val sets = json.getJSONArray("medium_key_sets")
        val opened = List(sets.length()) { index ->
            val set = sets.getJSONObject(index)
            MediumKeySet(
                set.getLong("public_id"),
                set.getString("organizer"),
                set.getBoolean("active"),
                set.getString("media_type"),
                opened(set, "uid_key", decrypt),
                opened(set, "diversification_key", decrypt),
            )
        }
        MediumKeySets(opened, json.getLong("as_of_ms"), json.optJSONObject("unasked")?.let(Failures::read) as? GatehandException)
    }

    /** @throws ConnectionException The server did not encrypt it to this device's key, or sent something else. */
    private fun opened(set: JSONObject, name: String, decrypt: (ByteArray) -> ByteArray): ByteArray =
        try {
            base64(set, name).let { if (set.getBoolean("encrypted")) decrypt(it) else it }
        } catch (other: OtherKeyException) {
            throw unusable(set, other)
        }

    private fun base64(set: JSONObject, name: String): ByteArray =
        try {
            Base64.decode(set.getString(name), Base64.DEFAULT)
        } catch (notBase64: IllegalArgumentException) {
            throw unusable(set, notBase64)
        }

    private fun unusable(set: JSONObject, cause: Exception): ConnectionException {
        val message = "media key set ${set.getLong("public_id")} of the server was not encrypted to this device's RSA key"
        return ConnectionException(ErrorCode.SERVER_FAILED, message, cause = cause)
    }

    private fun identity(json: JSONObject): Identity = Identity(
        json.getString("server"),
        json.getString("organizer"),
        json.getLong("device_id"),
        json.getString("unique_serial"),
        json.getString("name"),
        json.text("security_profile"),
        json.optJSONObject("gate")?.let { Gate(it.getLong("id"), it.getString("name"), it.getString("identifier")) },
        json.text("server_version"),
        json.getLong("enrolled_at_ms"),
        json.number("server_version_numeric"),
    )

    private fun JSONObject.text(name: String): String? = if (isNull(name)) null else getString(name)

    private fun JSONObject.number(name: String): Long? = if (isNull(name)) null else getLong(name)

    private fun <T> decodeAndWipe(bytes: ByteArray, read: (JSONObject) -> T): T =
        try {
            decode(bytes, read)
        } finally {
            bytes.fill(0)
        }

    /** Only a library of another version than the classes, or a defect, gets here with other JSON. */
    private fun <T> decode(bytes: ByteArray, read: (JSONObject) -> T): T =
        try {
            read(JSONObject(bytes.decodeToString()))
        } catch (unreadable: JSONException) {
            throw GatehandException(ErrorCode.INTERNAL, "the native library's answer can't be understood", unreadable)
        }
}
