package org.example.scan

import io.gatehand.AgentEvent
import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.Identity
import io.gatehand.fake.FakeAgent
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import okhttp3.Request

/** What the oldest compiler made of it runs too. */
class ScannerTest {
    private val agent = FakeAgent(DeviceState.Enrolled(Identity.Builder("https://pretix.eu").name("Lane 2").build()))
    private val scanner = Scanner(agent)

    @Test
    fun an_app_of_the_oldest_compiler_works_on_the_library() = runBlocking {
        assertEquals("Lane 2", scanner.now())
        agent.answers = { FakeAgent.json("ok") }
        assertEquals("ok" to 2, scanner.redeem("s") to scanner.size("/api/v1/x"))
        agent.failNext(ErrorCode.UNREACHABLE)
        assertEquals("later", scanner.redeem("s"))
        val rolled = async(start = CoroutineStart.UNDISPATCHED) { scanner.rolled() }
        agent.roll()
        assertEquals(AgentEvent.KeyRolled, rolled.await())
        assertTrue(scanner.beat())
    }

    @Test
    fun an_app_on_okhttp_is_answered_by_the_fake() {
        agent.answers = { FakeAgent.json("ok") }
        val call = Request.Builder().url("https://pretix.eu/api/v1/x?page=2").build()
        assertEquals("ok", Scanner.clientOf(agent).newCall(call).execute().use { it.body!!.string() })
        val inJava = JavaScanner(agent)
        assertEquals("ok", inJava.ask("https://pretix.eu/api/v1/y"))
        assertEquals(listOf("/api/v1/x?page=2", "/api/v1/y"), agent.requests.map { it.path })
        agent.failNext(ErrorCode.UNREACHABLE)
        assertEquals("unreachable", inJava.ask("https://pretix.eu/api/v1/y"))
    }

    @Test
    fun the_standard_library_is_no_newer_than_the_compiler() {
        assertEquals("2.2", KotlinVersion.CURRENT.run { "$major.$minor" })
    }
}
