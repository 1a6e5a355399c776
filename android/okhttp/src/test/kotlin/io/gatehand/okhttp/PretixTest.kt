package io.gatehand.okhttp

import io.gatehand.Enrolment
import io.gatehand.testing.Pretix
import java.util.Date
import kotlin.test.BeforeTest
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertNotEquals
import kotlin.test.assertTrue
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody
import okhttp3.RequestBody.Companion.toRequestBody
import okhttp3.Response
import okhttp3.ResponseBody
import org.json.JSONArray
import org.json.JSONObject
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import retrofit2.Call
import retrofit2.Retrofit
import retrofit2.http.Body
import retrofit2.http.GET
import retrofit2.http.Header
import retrofit2.http.POST
import retrofit2.http.Path
import retrofit2.http.Query
import retrofit2.http.Url

/** What an app for scanning does all day, at a real pretix, with a client that sets a dummy for a key. */
@RunWith(RobolectricTestRunner::class)
class PretixTest {
    interface PretixApi {
        @GET("api/v1/organizers/fest/events/")
        fun events(@Query("page_size") size: Int): Call<ResponseBody>

        @GET("api/v1/organizers/fest/events/expo/checkinlists/{list}/positions/")
        fun positions(@Path("list") list: Long, @Query("page_size") size: Int): Call<ResponseBody>

        @GET
        fun page(@Url next: String): Call<ResponseBody>

        @GET("api/v1/organizers/fest/events/expo/items/")
        fun items(@Header("If-Modified-Since") since: String? = null): Call<ResponseBody>

        @POST("api/v1/organizers/fest/checkinrpc/redeem/")
        fun redeem(@Body scan: RequestBody): Call<ResponseBody>

        @POST("api/v1/upload")
        fun upload(@Header("Content-Disposition") name: String, @Body file: RequestBody): Call<ResponseBody>

        @POST("api/v1/device/update")
        fun update(@Body report: RequestBody): Call<ResponseBody>
    }

    private lateinit var pretix: Pretix

    @BeforeTest
    fun start() {
        pretix = Pretix.get()
    }

    private fun with(name: String, profile: String = "full", test: OldApp.(PretixApi) -> Unit): Unit = OldApp().use { app ->
        val enrolment = Enrolment.parse(pretix.createDevice(name, profile).code)
        app.agent.blocking().initialize(enrolment.confirmed(enrolment.origin))
        app.test(Retrofit.Builder().baseUrl("${pretix.address}/").client(app.client).build().create(PretixApi::class.java))
    }

    private fun Call<ResponseBody>.json(): JSONObject {
        val answer = execute()
        check(answer.isSuccessful) { "${answer.code()} ${answer.errorBody()?.string()}" }
        return JSONObject(answer.body()!!.string())
    }

    private fun JSONArray.objects(): List<JSONObject> = (0 until length()).map(::getJSONObject)

    /** The results of all pages. */
    private fun PretixApi.all(first: Call<ResponseBody>): List<JSONObject> =
        generateSequence(first.json()) { page -> if (page.isNull("next")) null else page(page.getString("next")).json() }
            .flatMap { it.getJSONArray("results").objects() }.toList()

    private fun json(vararg fields: Pair<String, Any>): RequestBody =
        JSONObject(fields.toMap()).toString().toRequestBody("application/json".toMediaType())

    private fun scan(secret: String): RequestBody =
        json("secret" to secret, "lists" to JSONArray().put(pretix.list("main")), "nonce" to "scan of $secret")

    private fun OkHttpClient.call(path: String, change: Request.Builder.() -> Unit = {}): Response =
        newCall(Request.Builder().url("${pretix.address}/api/v1/$path").apply(change).build()).execute()

    @Test
    fun all_pages_are_downloaded(): Unit = with("downloads") { api ->
        assertEquals(listOf("draft", "expo", "second", "signed", "tour"), api.all(api.events(2)).map { it.getString("slug") }.sorted())
        val inPages = api.all(api.positions(pretix.list("main"), 20)).map { it.getLong("id") }
        assertTrue(inPages.size > 200, "${inPages.size} tickets")
        assertEquals(inPages.size, inPages.toSet().size)
        // As one answer that is larger than what comes at once.
        val whole = client.call("organizers/fest/events/expo/checkinlists/${pretix.list("main")}/positions/?page_size=250")
            .use { JSONObject(it.body!!.string()).getJSONArray("results").objects() }
        assertEquals(inPages.take(whole.size).toSet(), whole.map { it.getLong("id") }.toSet())
    }

    @Test
    fun a_ticket_is_let_in_once(): Unit = with("door") { api ->
        val ticket = pretix.spareTicket(SPARES)
        assertEquals("ok", api.redeem(scan(ticket)).json().getString("status"))
        assertEquals("ok", api.redeem(scan(ticket)).json().getString("status"), "the same scan again")
        val used = api.redeem(json("secret" to ticket, "lists" to JSONArray().put(pretix.list("main")))).execute()
        val refusal = JSONObject(used.errorBody()!!.string())
        assertEquals(listOf("400", "error", "already_redeemed"), listOf("${used.code()}", refusal.getString("status"), refusal.getString("reason")))
        val plain = client.call("organizers/fest/checkinrpc/redeem/") { post(scan(pretix.spareTicket(SPARES + 1))) }
        assertEquals("ok", plain.use { JSONObject(it.body!!.string()).getString("status") })
    }

    @Test
    fun what_has_not_changed_is_not_sent_again(): Unit = with("asks with a date") { api ->
        val first = api.items().execute()
        val changed = checkNotNull(first.headers()["Last-Modified"]) { "${first.headers()}" }
        assertTrue(JSONObject(first.body()!!.string()).getInt("count") > 0)
        val again = api.items(changed).execute()
        assertEquals(304, again.code())
        val plain = client.call("organizers/fest/events/expo/items/") { header("If-Modified-Since", changed) }
        assertEquals(304 to "", plain.use { it.code to it.body!!.string() })
        val before = api.items("Sat, 01 Jan 2000 00:00:00 GMT").execute()
        assertEquals(200, before.code())
        assertTrue(Date(0) < before.headers().getDate("Last-Modified"))
    }

    @Test
    fun a_file_is_sent_at_once_or_piece_by_piece(): Unit = with("sends files") { api ->
        val large = "%PDF-1.4\n".encodeToByteArray() + ByteArray(LARGE)
        for ((name, type, bytes) in listOf(Triple("id.png", "image/png", PNG), Triple("id.pdf", "application/pdf", large))) {
            val kept = api.upload("attachment; filename=\"$name\"", bytes.toRequestBody(type.toMediaType())).json()
            assertContains(kept.getString("id"), "file:")
        }
    }

    @Test
    fun refusals_are_answers(): Unit = with("may not all", "pretixscan") { api ->
        val denied = client.call("organizers/fest/events/expo/checkinlists/${pretix.list("main")}/")
        assertEquals(403, denied.code)
        assertContains(denied.use { it.body!!.string() }, "security profile")
        val missing = api.positions(MISSING, 1).execute()
        assertEquals(404, missing.code())
        assertContains(missing.errorBody()!!.string(), "CheckinList")
        val wrong = api.redeem(json("secret" to "any")).execute()
        assertEquals(400, wrong.code())
        assertContains(wrong.errorBody()!!.string(), "lists")
    }

    @Test
    fun an_apps_own_report_is_the_agents(): Unit = with("reports") { api ->
        val said = api.update(json("hardware_brand" to "x", "hardware_model" to "x", "software_brand" to "x", "software_version" to "9")).json()
        assertEquals(OldApp.DUMMY, said.getString("api_token"))
        val seen = pretix.device(said.getLong("device_id"))
        assertEquals("old app" to "1.0", seen.getString("software_brand") to seen.getString("software_version"))
        assertNotEquals("x", seen.getString("hardware_brand"))
    }

    @Test
    fun without_the_agent_the_dummy_opens_nothing(): Unit = with("has no key itself") { api ->
        assertEquals(200, api.events(1).execute().code())
        val own = OkHttpClient().call("organizers/fest/events/") { header("Authorization", "Device ${OldApp.DUMMY}") }
        assertEquals(401, own.use { it.code })
    }

    private companion object {
        /** Those before are of the tests in tests/peer, if both should ever share a pretix. */
        const val SPARES = 150
        const val MISSING = 999_999L

        /** More than is held before it is sent. */
        const val LARGE = 2 * 1024 * 1024

        /** One dot. */
        val PNG = java.util.Base64.getDecoder().decode(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        )
    }
}
