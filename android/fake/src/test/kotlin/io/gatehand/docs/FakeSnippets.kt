package io.gatehand.docs

import io.gatehand.ApiRequest
import io.gatehand.ConnectionException
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.fake.FakeAgent
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNull
import kotlinx.coroutines.runBlocking

// The test that docs/ANDROID.md shows; SnippetsTest compares the two.

class VersionTest {
    private val agent = FakeAgent()

    private fun version(): String? = runBlocking {
        try {
            agent.request(ApiRequest.get("/api/v1/version")).takeIf { it.isSuccessful }?.text()
        } catch (_: ConnectionException) {
            null
        }
    }

    @Test
    fun the_version_is_not_known_while_the_server_is_away() {
        val enrolment = Enrolment.Builder("https://pretix.eu", "kpp4jn8g2ynzonp6").build()
        runBlocking { agent.initialize(enrolment.confirmed(enrolment.origin)) }
        agent.answers = { call -> if (call.path.endsWith("version")) FakeAgent.json("{}") else FakeAgent.json("{}", 404) }
        agent.failNext(ErrorCode.UNREACHABLE)
        assertNull(version())
        assertEquals("{}", version())
    }
}
