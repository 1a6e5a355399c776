package io.gatehand.okhttp

import io.gatehand.Identity
import io.gatehand.Agent
import okhttp3.Interceptor
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.Protocol
import okhttp3.Request
import okhttp3.Response
import okhttp3.ResponseBody.Companion.toResponseBody
import org.json.JSONObject

/** An app's own report of what it is. The agent reports the device; what the app says of it is not sent. */
internal class Reported(private val agent: Agent) {
    fun answer(chain: Interceptor.Chain, request: Request): Response {
        val identity = Waiting.of(chain.call(), agent) { isWanted -> refresh(isWanted) }
        return Response.Builder()
            .request(request)
            .protocol(Protocol.HTTP_1_1)
            .code(200)
            .message("OK")
            .header("Content-Type", JSON)
            .body(document(identity, request).toResponseBody(JSON.toMediaType()))
            .build()
    }

    /** As the server answers, with the app's own stand-in for the key. */
    private fun document(identity: Identity, request: Request): String {
        val gate = identity.gate?.let { JSONObject().put("id", it.id).put("name", it.name).put("identifier", it.identifier) }
        return JSONObject()
            .put("organizer", identity.organizer)
            .put("device_id", identity.deviceId)
            .put("unique_serial", identity.uniqueSerial)
            .put("api_token", request.header("Authorization")?.substringAfter(' ').orEmpty())
            .put("name", identity.name)
            .put("security_profile", identity.securityProfile ?: JSONObject.NULL)
            .put("gate", gate ?: JSONObject.NULL)
            .toString()
    }

    private companion object {
        const val JSON = "application/json"
    }
}
