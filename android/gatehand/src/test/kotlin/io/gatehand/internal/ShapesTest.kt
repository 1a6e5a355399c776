package io.gatehand.internal

import android.util.Base64
import io.gatehand.AgentConfig
import io.gatehand.AgentEvent
import io.gatehand.ApiBody
import io.gatehand.ApiRequest
import io.gatehand.DeviceState
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.EventSelection
import io.gatehand.EventSuggestion
import io.gatehand.ExistingIdentity
import io.gatehand.Gate
import io.gatehand.GatehandException
import io.gatehand.Identity
import io.gatehand.Operation
import io.gatehand.RefusedException
import io.gatehand.TestApp
import io.gatehand.Trust
import io.gatehand.build.Project
import io.gatehand.testing.StandInCaStore
import java.io.ByteArrayInputStream
import java.io.File
import java.net.InetSocketAddress
import java.net.ProxySelector
import java.security.cert.CertificateFactory
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNotEquals
import kotlin.test.assertTrue
import org.json.JSONArray
import org.json.JSONObject
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowBuild

/** What crosses the border has the shapes of `tests/data/bridge`, to which `src/jni/shapes/tests.rs` holds the other side. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [21, 35])
class ShapesTest {
    private val identity = Identity(
        "https://pretix.eu/tickets", "bigevents", 9007199254740993, "LF1LCJWO6I2M1G9K", "Lane 🎫", "pretixscan",
        Gate(4, "North", "N1"), "2026.9.0", 1795461463000, 20260090000000,
    )
    private val bare = identity.toBuilder().securityProfile(null).gate(null).serverVersion(null).serverVersionNumeric(null).build()

    private fun files(direction: String): Map<String, String> = Project.root.resolve("tests/data/bridge/$direction").listFiles()
        .orEmpty().associate { it.name.removeSuffix(".json") to it.readText() }

    /** JSON as values that can be compared. */
    private fun plain(json: Any?): Any? = when (json) {
        is JSONObject -> json.keys().asSequence().associateWith { plain(json.get(it)) }
        is JSONArray -> List(json.length()) { plain(json.get(it)) }
        is Number -> json.toLong()
        else -> json
    }

    private fun config(brand: String, model: String, release: String, trust: Trust): ByteArray {
        ShadowBuild.setBrand(brand)
        ShadowBuild.setModel(model)
        ShadowBuild.setVersionRelease(release)
        val app = TestApp(RuntimeEnvironment.getApplication(), File("/data/user/0/org.example.scan/no_backup"))
        val config = AgentConfig.Builder("pretixSCAN", "2.3.1").connectTimeout(2, TimeUnit.SECONDS)
            .readTimeout(20, TimeUnit.SECONDS).timeLimit(30, TimeUnit.SECONDS).allowHttp(true).trust(trust).build()
        return AgentSetup(app, config).config(setAside = true)
    }

    private fun proxy(): ByteArray {
        val before = ProxySelector.getDefault()
        ProxySelector.setDefault(ProxySelector.of(InetSocketAddress.createUnresolved("10.0.0.1", 3128)))
        try {
            return NetworkProxy(RuntimeEnvironment.getApplication()).find("https://pretix.eu")!!
        } finally {
            ProxySelector.setDefault(before)
        }
    }

    private fun redeemed(): ByteArray {
        val server = "https://pretix.eu"
        val enrolment = Enrolment(server, server, "pretix.eu", server, true, "z", listOf("y"), "caps lock is on")
        return Codec.encode(enrolment.confirmed(server))
    }

    private fun request(): ApiRequest = ApiRequest.Builder("POST", "/api/v1/organizers/bigevents/checkinrpc/redeem/")
        .body(ApiBody.stream(ByteArrayInputStream(ByteArray(3)), "text/csv", 3)).idempotencyKey("5f0b")
        .timeLimit(2, TimeUnit.SECONDS).readTimeout(1500, TimeUnit.MILLISECONDS).header("Accept-Language", "de").header("X-Lane", "2").once().build()

    @Test
    fun what_is_written_for_the_library_is_what_it_reads() {
        val files = files("to_native")
        val key = "1kcsh572fonm3hawalrncam4l1gktr2r"
        val pinned = JSONObject(files.getValue("config_pinned")).getJSONObject("trust").getString("pinned")
        val certificate = Base64.decode(pinned, Base64.DEFAULT)
        StandInCaStore.of(mapOf("user:1" to CertificateFactory.getInstance("X.509").generateCertificate(certificate.inputStream())))
        val written = mapOf(
            "config" to config("Zebra", "TC25", "8.1.0", Trust.certificates(certificate)),
            "config_pinned" to config("Zebra", "TC25", "8.1.0", Trust.pinned(certificate)),
            "config_of_unknown_device" to config("", "", "", Trust.systemAndUser()),
            "proxy" to proxy(),
            "redeemed" to redeemed(),
            "existing" to Codec.encode(
                ExistingIdentity("pretix.eu", key, "LF1LCJWO6I2M1G9K", "device"),
                "-----BEGIN PUBLIC KEY-----\nAQI=\n-----END PUBLIC KEY-----\n",
            ),
            "existing_bare" to Codec.encode(ExistingIdentity("pretix.eu", key)),
            "current" to Codec.encode(EventSelection("museum", "Museum night", 3, 7)),
            "current_bare" to Codec.encode(null as EventSelection?),
            "request" to Codec.encode(request()),
            "request_bare" to Codec.encode(ApiRequest.get("/api/v1/version")),
        )
        assertEquals(files.keys, written.keys)
        for ((name, bytes) in written) {
            assertEquals(plain(JSONObject(files.getValue(name))), plain(JSONObject(bytes.decodeToString())), "$name.json")
        }
    }

    private fun enrolmentOf(json: ByteArray): Any = with(Codec.enrolment(json)) {
        listOf(server, origin, exactOrigin, host, isSecure, token, otherTokens, mapping)
    }

    private fun keySetsOf(json: ByteArray): Any = Codec.mediumKeySets(json) { it.reversedArray() }.let { sets ->
        val opened = sets.map { set ->
            listOf(set.publicId, set.organizer, set.active, set.mediaType, set.uidKey().toList(), set.diversificationKey().toList())
        }
        listOf(opened, sets.asOfMillis, sets.unasked?.let { it.code to it.message })
    }

    private fun headOf(json: ByteArray): Any = Codec.head(json).let { (status, headers) -> listOf(status, headers["etag"], headers.all("link")) }

    private fun failureOf(json: ByteArray): Any {
        val error = Failures.exception(json)
        val causes = generateSequence(error.cause) { it.cause }.map { it.message }.toList()
        return listOf((error as GatehandException).code, error.message, causes, (error as? RefusedException)?.status)
    }

    private val server = "https://pretix.eu/tickets"
    private val states: Map<String, DeviceState> = mapOf(
        "state_not_enrolled" to DeviceState.NotEnrolled,
        "state_enrolling" to DeviceState.Enrolling(server),
        "state_enrolled" to DeviceState.Enrolled(identity),
        "state_rejected" to DeviceState.Rejected(bare),
        "state_revoked" to DeviceState.Revoked(identity),
        "state_answer_lost" to DeviceState.AnswerLost(server, identity, "what to do"),
    )
    private val events: Map<String, AgentEvent?> = mapOf(
        "event_state_changed" to null,
        "event_identity_changed" to AgentEvent.IdentityChanged(bare, identity),
        "event_report_acknowledged" to AgentEvent.ReportAcknowledged,
        "event_key_rolled" to AgentEvent.KeyRolled,
        "event_initialize_finished" to AgentEvent.OperationFinished(Operation.INITIALIZE),
        "event_update_finished" to AgentEvent.OperationFinished(Operation.UPDATE),
        "event_roll_finished" to AgentEvent.OperationFinished(Operation.ROLL),
        "event_revoke_finished" to AgentEvent.OperationFinished(Operation.REVOKE),
    )
    private val suggestions: Map<String, EventSuggestion> = mapOf(
        "suggestion_keep" to EventSuggestion.Keep,
        "suggestion_nothing" to EventSuggestion.None,
        "suggestion_switch" to EventSuggestion.Switch(EventSelection("museum", "Museum night", 3, 7)),
        "suggestion_switch_bare" to EventSuggestion.Switch(EventSelection("museum")),
    )
    private val enrolments: Map<String, Any> = mapOf(
        "enrolment" to "pretix.xn--mnchen-3ya.example".let { host ->
            val origin = "http://$host:8080"
            listOf("$origin/tickets", "http://pretix.münchen.example:8080 ($origin)", origin, host, false, "kpp4jn8g2ynzonp6", emptyList<String>(), null)
        },
        "enrolment_mapped" to "https://pretix.eu".let { origin ->
            val mapping = "the scanner and this system are set to different keyboard layouts"
            listOf(origin, origin, origin, "pretix.eu", true, "z", listOf("y"), mapping)
        },
    )
    private val keySets: Map<String, Any> = mapOf(
        "key_sets" to listOf(
            listOf(listOf(7L, "bigevents", true, "nfc_mf0aes", List(4) { (-1).toByte() }, listOf<Byte>(3))), 1795461463000, null,
        ),
        "key_sets_encrypted" to listOf(
            listOf(listOf(7L, "bigevents", false, "nfc_mf0aes", listOf<Byte>(2, 1), listOf<Byte>(3))), 1795461463000,
            ErrorCode.SERVER_FAILED to "what failed",
        ),
    )
    private val heads: Map<String, Any> = mapOf("head" to listOf(304, "a", listOf("1", "2")))
    private val failures: Map<String, Any> = mapOf(
        "failure" to listOf(ErrorCode.ARGUMENT_INVALID, "the vault's key is not of 32 bytes", listOf("outer", "inner"), null),
        "failure_answered" to listOf(ErrorCode.OTHER_DEVICE, "what failed", emptyList<String>(), 200),
    )

    private class Read(val json: String, val expected: Any?, val by: (ByteArray) -> Any?)

    private fun read(): Map<String, Read> {
        val files = files("to_kotlin")
        val read = listOf<Pair<Map<String, Any?>, (ByteArray) -> Any?>>(
            states to Codec::state, events to Codec::event, suggestions to Codec::suggestion, enrolments to ::enrolmentOf,
            keySets to ::keySetsOf, heads to ::headOf, failures to ::failureOf,
        ).flatMap { (expected, by) -> expected.map { it.key to Read(files.getValue(it.key), it.value, by) } }.toMap()
        assertEquals(files.keys, read.keys)
        return read
    }

    @Test
    fun what_the_library_writes_is_understood() {
        for ((name, read) in read()) {
            assertEquals(read.expected, read.by(read.json.encodeToByteArray()), "$name.json")
        }
    }

    @Test
    fun no_field_that_the_library_writes_is_unread() {
        for ((name, read) in read()) {
            val whole = JSONObject(read.json)
            for ((path, without) in withoutEach(whole)) {
                val outcome = runCatching { read.by(without.encodeToByteArray()) }
                assertNotEquals(Result.success(read.expected), outcome, "$name.json is read the same without $path")
            }
        }
    }

    /** The text of [whole] without each field that says something, by the field's path. */
    private fun withoutEach(whole: JSONObject): Map<String, String> {
        val texts = LinkedHashMap<String, String>()
        fun visit(json: Any, path: String) {
            when (json) {
                is JSONArray -> for (index in 0 until json.length()) visit(json.get(index), "$path[$index]")
                is JSONObject -> for (name in json.keys().asSequence().toList()) {
                    val value = json.get(name)
                    if (saysNothing(value)) continue
                    json.remove(name)
                    texts["$path.$name"] = whole.toString()
                    json.put(name, value)
                    visit(value, "$path.$name")
                }
            }
        }
        visit(whole, "")
        return texts
    }

    private fun saysNothing(value: Any): Boolean = value == JSONObject.NULL || value == "" || value is JSONArray && value.length() == 0
}
