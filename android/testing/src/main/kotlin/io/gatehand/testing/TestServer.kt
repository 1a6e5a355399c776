package io.gatehand.testing

import java.io.File
import java.net.HttpURLConnection
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import java.util.concurrent.TimeUnit
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assume.assumeTrue
import org.junit.rules.ExternalResource
import org.junit.rules.TemporaryFolder

/**
 * A real server of this machine, with an organizer, and the real native library for the agents that a
 * test opens. Without the paths that `android/test.sh` gives, the test is skipped.
 */
class TestServer : ExternalResource() {
    private val temporary = TemporaryFolder()
    private var process: Process? = null

    /** Where it listens; the same after [restart]. */
    lateinit var address: String
        private set

    private val organizerToken: String by lazy {
        admin("team", "create", ORGANIZER, "admins", "--permission", "all")
        JSONObject(admin("token", "create", ORGANIZER, "admins")).getString("token")
    }

    override fun before() {
        assumeTrue("run by android/test.sh", PROGRAM != null)
        TestLibrary.use()
        temporary.create()
        admin("organizer", "create", ORGANIZER, "--name", "Big Events")
        start("127.0.0.1:0")
    }

    override fun after() {
        stop()
        temporary.delete()
    }

    /** Ends the server, so that nothing answers at [address]. */
    fun stop() {
        process?.destroyForcibly()?.waitFor()
        process = null
    }

    /** Starts a stopped server again, with all that it knew. */
    fun restart(): Unit = start(address.removePrefix("http://"))

    private fun start(listen: String) {
        val started = command("serve", "--listen", listen, "--allowed-host", "gatehand.invalid").redirectErrorStream(true).start().also { process = it }
        val said = started.inputStream.bufferedReader()
        val listening = generateSequence(said::readLine).firstNotNullOfOrNull { ADDRESS.find(it)?.value }
        address = checkNotNull(listening) { "the server ended at its start" }
        // What it logs must not fill the pipe.
        Thread { said.forEachLine {} }.apply { isDaemon = true }.start()
    }

    /** Makes a device that is not initialized yet. */
    fun createDevice(name: String = "Lane 2"): TestDevice {
        val created = admin("device", "create", ORGANIZER, "--name", name, "--all-events")
        val device = JSONObject(created)
        return TestDevice(address, device.getLong("device_id"), device.getString("initialization_token"))
    }

    /** The same over the REST API, which takes any text as a name. */
    fun createDeviceByApi(name: String, vararg events: String): TestDevice {
        val wanted = JSONObject().put("name", name).put("all_events", events.isEmpty()).put("limit_events", JSONArray(events.asList()))
        val created = callApi("POST", "", wanted)
        return TestDevice(address, created.getLong("device_id"), created.getString("initialization_token"))
    }

    /** Renames a device over the REST API, and returns the name that it has now. */
    fun renameByApi(id: Long, name: String): String = callApi("PATCH", "$id/", JSONObject().put("name", name)).getString("name")

    private fun callApi(method: String, path: String, body: JSONObject): JSONObject {
        val request = HttpRequest.newBuilder(URI("$address/api/v1/organizers/$ORGANIZER/devices/$path"))
            .header("Authorization", "Token $organizerToken").header("Content-Type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(body.toString())).build()
        val answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString())
        check(answer.statusCode() in SUCCESS) { "${answer.statusCode()} ${answer.body()}" }
        return JSONObject(answer.body())
    }

    /**
     * Redeems a device's token as an app does that knows nothing of gatehand.
     *
     * @param publicKey The RSA key that the app reports, in PEM.
     */
    fun enrolWithout(device: TestDevice, publicKey: String? = null): OldApp {
        val report = JSONObject().put("token", device.token).put("hardware_brand", "Zebra").put("hardware_model", "TC25")
            .put("software_brand", "old app").put("software_version", "1.0").putOpt("rsa_pubkey", publicKey)
        val call = URI("$address/api/v1/device/initialize").toURL().openConnection() as HttpURLConnection
        call.doOutput = true
        call.setRequestProperty("Content-Type", "application/json")
        call.outputStream.use { it.write(report.toString().encodeToByteArray()) }
        val identity = JSONObject(call.inputStream.use { it.readBytes().decodeToString() })
        return OldApp(identity.getString("api_token"), identity.getString("unique_serial"))
    }

    /** What the server knows of a device. */
    fun device(id: Long): JSONObject = JSONObject(admin("device", "show", ORGANIZER, id.toString()))

    /** All devices. */
    fun devices(): List<JSONObject> {
        val all = JSONArray(admin("device", "list", ORGANIZER))
        return (0 until all.length()).map(all::getJSONObject)
    }

    /** Ends a device's access, as a person at the server does. */
    fun revoke(id: Long) {
        admin("device", "revoke", ORGANIZER, id.toString())
    }

    /** Runs `gatehand admin … --json` and returns what it printed. */
    fun admin(vararg arguments: String): String {
        val said = File(temporary.root, "said-${System.nanoTime()}")
        val admin = command("admin", *arguments, "--json").redirectOutput(said).start()
        val complaint = admin.errorStream.bufferedReader().readText()
        check(admin.waitFor(1, TimeUnit.MINUTES) && admin.exitValue() == 0) { complaint }
        return said.readText().also { said.delete() }
    }

    private fun command(vararg arguments: String) = ProcessBuilder(checkNotNull(PROGRAM), *arguments).apply {
        environment()["GATEHAND_DATABASE"] = File(temporary.root, "server.db").path
    }

    companion object {
        const val ORGANIZER = "bigevents"
        private val PROGRAM: String? = System.getProperty("gatehand.program")
        private val SUCCESS = 200..299
        private val ADDRESS = Regex("http://127\\.0\\.0\\.1:[0-9]+")
    }
}

/** A device that the server made and nobody has initialized. */
class TestDevice(val server: String, val id: Long, val token: String) {
    /** What its QR code holds. */
    val code: String
        get() = JSONObject().put("handshake_version", 1).put("url", server).put("token", token).toString()

    /** The same as a link. */
    val link: String
        get() = "pretixscan://setup?url=${server.replace(":", "%3A").replace("/", "%2F")}&token=$token"
}

/** What an app holds that enrolled a device by itself. */
class OldApp(val key: String, val uniqueSerial: String)
