package io.gatehand.testing

import java.io.File
import java.net.InetAddress
import java.net.ServerSocket
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import java.nio.file.Files
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assume.assumeTrue

/**
 * A real pretix on loopback, which the first test of a JVM that needs one starts, and which ends with the JVM: see
 * tests/peer/README.md. Where none was built, and `PEER_WANTED=1` does not say that one should be, the test is
 * skipped. One that does not start is a failure.
 */
class Pretix private constructor(private val fixture: JSONObject) {
    val address: String = fixture.getString("url")

    /** A device that waits to be enrolled. */
    fun createDevice(name: String, securityProfile: String = "full"): TestDevice {
        val device = JSONObject().put("name", name).put("all_events", true).put("limit_events", JSONArray())
            .put("security_profile", securityProfile)
        val created = ask("POST", "devices/", device)
        return TestDevice(address, created.getLong("device_id"), created.getString("initialization_token"))
    }

    /** A device as people see it. */
    fun device(id: Long): JSONObject = ask("GET", "devices/$id/")

    /** The number of a check-in list. */
    fun list(name: String): Long = fixture.getJSONObject("lists").getJSONObject(name).getLong("id")

    /** The code of a paid ticket that nobody else uses, from 0 to 199. */
    fun spareTicket(number: Int): String = fixture.getJSONArray("spares").getString(number)

    /** A request as the team that may do everything. */
    private fun ask(method: String, path: String, body: JSONObject? = null): JSONObject {
        val publisher = body?.let { HttpRequest.BodyPublishers.ofString(it.toString()) } ?: HttpRequest.BodyPublishers.noBody()
        val request = HttpRequest.newBuilder(URI("$address/api/v1/organizers/$ORGANIZER/$path"))
            .header("Authorization", "Token ${fixture.getJSONObject("teams").getString("admin")}")
            .header("Content-Type", "application/json").method(method, publisher).build()
        val answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString())
        check(answer.statusCode() in SUCCESS) { "${answer.statusCode()} ${answer.body()}" }
        return JSONObject(answer.body())
    }

    companion object {
        const val ORGANIZER = "fest"
        private val SUCCESS = 200..299
        private val started by lazy(::start)

        /** The one of this JVM. */
        fun get(): Pretix {
            val isThere = isBuilt() || System.getenv("PEER_WANTED") == "1"
            assumeTrue("no pretix was built: `cargo test --test peer -- --ignored` or `PEER_WANTED=1 android/test.sh` does it", isThere)
            TestLibrary.use()
            return started
        }

        /** Whether tests/peer/up.sh has built one, of whatever version. */
        private fun isBuilt(): Boolean {
            val cache = System.getenv("PEER_CACHE")?.let(::File)
                ?: File(System.getenv("XDG_CACHE_HOME") ?: "${System.getProperty("user.home")}/.cache", "gatehand/peer")
            return cache.listFiles().orEmpty().any { File(it, "ready").exists() }
        }

        private fun start(): Pretix {
            val hold = File(checkNotNull(System.getProperty("gatehand.project")) { "run by Maven" }, "tests/peer/hold.sh")
            val port = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
            // Its standard input is ours, and so ends when this JVM does, however that comes.
            val holder = ProcessBuilder(hold.path, Files.createTempDirectory("pretix").toString(), "$port")
                .redirectError(ProcessBuilder.Redirect.INHERIT).start()
            // It stays open, and no line ends what is printed: the document ends with the only brace at a line's beginning.
            val printed = holder.inputStream.bufferedReader()
            val document = StringBuilder()
            while (!document.endsWith("\n}")) {
                val letter = printed.read()
                check(letter >= 0) { "pretix did not start: what up.sh says is above" }
                document.append(letter.toChar())
            }
            return Pretix(JSONObject(document.toString()))
        }
    }
}
