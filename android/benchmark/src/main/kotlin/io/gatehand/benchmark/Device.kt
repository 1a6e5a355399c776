package io.gatehand.benchmark

import android.app.Application
import io.gatehand.AgentConfig
import io.gatehand.ApiRequest
import io.gatehand.Enrolment
import io.gatehand.ScannerAgent
import io.gatehand.okhttp.GatehandInterceptor
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestDevice
import io.gatehand.testing.TestServer
import java.io.IOException
import java.util.concurrent.TimeUnit
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.suspendCancellableCoroutine
import okhttp3.Call
import okhttp3.Callback
import okhttp3.ConnectionPool
import okhttp3.Dispatcher
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody.Companion.toRequestBody
import okhttp3.Response
import org.json.JSONObject

/** A device that is enrolled twice: by the agent, and as an app does it by itself, with the key in hand. */
internal object Device {
    /** Calls under way at the same time where there are several. */
    const val ATONCE = 8
    private const val PATH = "api/v1/device/info"

    @JvmStatic
    val request: ApiRequest = ApiRequest.get(PATH)

    @JvmStatic
    lateinit var agent: ScannerAgent

    @JvmStatic
    lateinit var keyInJava: KeyInJava

    // What stands by itself for five calls at once would hold OkHttp back.
    private val client = OkHttpClient.Builder()
        .dispatcher(Dispatcher().apply { maxRequestsPerHost = ATONCE })
        .connectionPool(ConnectionPool(ATONCE, 1, TimeUnit.MINUTES))
        .build()
    private lateinit var withKey: Request

    /** As an app has it that was built on OkHttp: with a dummy for the key. */
    private lateinit var intercepting: OkHttpClient
    private lateinit var withDummy: Request

    fun enrol(context: Application, server: TestServer) {
        StandInKeystore.reset()
        agent = ScannerAgent.open(context, AgentConfig.Builder("benchmark", "1").build())
        val enrolment = Enrolment.parse(server.createDevice().code)
        agent.blocking().initialize(enrolment.confirmed(enrolment.origin))
        val key = redeem(server.createDevice())
        keyInJava = KeyInJava(context, key)
        withKey = Request.Builder().url("${server.address}/$PATH").header("Authorization", "Device $key").build()
        intercepting = client.newBuilder().addInterceptor(GatehandInterceptor(agent)).build()
        withDummy = withKey.newBuilder().header("Authorization", "Device dummy").build()
        check(callWithOkHttp().size == callIntercepted().size)
        check(callWithOkHttp().size == agent.blocking().request(request).body.size)
    }

    private fun redeem(device: TestDevice): String {
        val facts = JSONObject().put("token", device.token).put("hardware_brand", "JVM").put("hardware_model", "JVM")
            .put("software_brand", "benchmark").put("software_version", "1")
        val body = facts.toString().toRequestBody("application/json".toMediaType())
        val answer = client.newCall(Request.Builder().url("${device.server}/api/v1/device/initialize").post(body).build()).execute()
        return JSONObject(answer.body.string()).getString("api_token")
    }

    @JvmStatic
    fun callWithOkHttp(): ByteArray = client.newCall(withKey).execute().use(::read)

    @JvmStatic
    fun callIntercepted(): ByteArray = intercepting.newCall(withDummy).execute().use(::read)

    /** The shortest way from a coroutine: the body is read by the thread that the answer came to. */
    private suspend fun awaitOkHttp(): ByteArray = suspendCancellableCoroutine { waiting ->
        val call = client.newCall(withKey)
        waiting.invokeOnCancellation { call.cancel() }
        call.enqueue(
            object : Callback {
                override fun onFailure(call: Call, e: IOException) {
                    waiting.resumeWithException(e)
                }

                override fun onResponse(call: Call, response: Response) {
                    waiting.resumeWith(runCatching { response.use(::read) })
                }
            },
        )
    }

    private fun read(response: Response): ByteArray {
        check(response.isSuccessful) { "$response" }
        return response.body.bytes()
    }

    @JvmStatic
    fun requestInCoroutines(coroutines: Int, calls: Int): Int = inCoroutines(coroutines, calls) { agent.request(request).body }

    @JvmStatic
    fun okHttpInCoroutines(coroutines: Int, calls: Int): Int = inCoroutines(coroutines, calls) { awaitOkHttp() }

    /** As many calls one after the other, in each of some coroutines; returns the number of bytes. */
    private fun inCoroutines(coroutines: Int, calls: Int, call: suspend () -> ByteArray): Int = runBlocking {
        var bytes = 0
        coroutineScope {
            repeat(coroutines) {
                launch { repeat(calls) { bytes += call().size } }
            }
        }
        bytes
    }
}
