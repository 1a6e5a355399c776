package io.gatehand.okhttp

import io.gatehand.DeviceStateException
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.RefusedException
import io.gatehand.testing.TestDevice
import io.gatehand.testing.TestServer
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull
import kotlin.test.assertTrue
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody
import okhttp3.RequestBody.Companion.toRequestBody
import okhttp3.Response
import okhttp3.ResponseBody
import org.json.JSONObject
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import retrofit2.Call
import retrofit2.Retrofit
import retrofit2.http.Body
import retrofit2.http.GET
import retrofit2.http.POST

/** A client that sets a dummy for a key, at the server that is shipped. */
@RunWith(RobolectricTestRunner::class)
class RealServerTest {
    @get:Rule
    val server = TestServer()

    @get:Rule
    val other = OtherServer()

    interface DeviceApi {
        @GET("api/v1/device/info")
        fun info(): Call<ResponseBody>

        @POST("api/v1/device/update")
        fun update(@Body report: RequestBody): Call<ResponseBody>

        @POST("api/v1/device/roll")
        fun roll(): Call<ResponseBody>
    }

    private fun OldApp.api(): DeviceApi = Retrofit.Builder().baseUrl("${server.address}/").client(client).build().create(DeviceApi::class.java)

    private fun OldApp.enrol(device: TestDevice) {
        val enrolment = Enrolment.parse(device.code)
        agent.blocking().initialize(enrolment.confirmed(enrolment.origin))
    }

    private fun OkHttpClient.get(url: String): Response = newCall(Request.Builder().url(url).build()).execute()

    @Test
    fun a_client_with_a_dummy_for_a_key_is_answered_as_the_device(): Unit = OldApp().use { app ->
        app.enrol(server.createDevice("Lane 7"))
        val answer = app.api().info().execute()
        assertEquals(200, answer.code())
        assertEquals("Lane 7", JSONObject(answer.body()!!.string()).getJSONObject("device").getString("name"))
        val selection = app.client.get("${server.address}/api/v1/device/eventselection?current_event=none")
        assertTrue(selection.use { it.code } in listOf(200, 304, 404))
        val missing = app.client.get("${server.address}/api/v1/nothing")
        assertEquals(404, missing.use { it.code })
    }

    @Test
    fun another_server_is_asked_as_before_and_never_sees_the_key(): Unit = OldApp().use { app ->
        app.enrol(server.createDevice())
        assertEquals(200, app.client.get("${other.address}/x").use { it.code })
        assertEquals("Device ${OldApp.DUMMY}", other.asked.take())
    }

    @Test
    fun an_apps_own_report_becomes_the_agents(): Unit = OldApp().use { app ->
        val device = server.createDevice("Lane 3")
        app.enrol(device)
        val report = JSONObject().put("hardware_brand", "made up").put("hardware_model", "x").put("software_brand", "y").put("software_version", "z")
        val answer = app.api().update(report.toString().toRequestBody("application/json".toMediaType())).execute()
        val said = JSONObject(answer.body()!!.string())
        assertEquals(listOf("Lane 3", OldApp.DUMMY, "bigevents"), listOf("name", "api_token", "organizer").map(said::getString))
        assertEquals(device.id, said.getLong("device_id"))
        assertEquals("old app", server.device(device.id).getString("software_brand"))
        assertTrue(server.device(device.id).getString("hardware_brand") != "made up")
    }

    @Test
    fun a_revocation_is_an_exception_of_the_agents(): Unit = OldApp().use { app ->
        val device = server.createDevice()
        app.enrol(device)
        server.revoke(device.id)
        repeat(2) { assertEquals(ErrorCode.REVOKED, assertFailsWith<RefusedException> { app.api().info().execute() }.code) }
    }

    @Test
    fun the_key_is_the_agents_to_exchange(): Unit = OldApp().use { app ->
        app.enrol(server.createDevice())
        assertEquals(ErrorCode.ARGUMENT_INVALID, assertFailsWith<GatehandException> { app.api().roll().execute() }.code)
        assertEquals(200, app.api().info().execute().code())
    }

    @Test
    fun a_device_that_is_none_yet_is_not_asked_for_with_the_dummy(): Unit = OldApp().use { app ->
        val failure = assertFailsWith<DeviceStateException> { app.client.get("${other.address}/api/v1/device/info") }
        assertEquals(ErrorCode.NOT_ENROLLED, failure.code)
        assertNull(other.asked.poll())
        val plain = OkHttpClient.Builder().addInterceptor(GatehandInterceptor(app.agent)).build()
        assertEquals(200, plain.get("${other.address}/").use { it.code })
    }
}
