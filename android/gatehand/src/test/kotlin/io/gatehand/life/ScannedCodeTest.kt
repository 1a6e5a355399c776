package io.gatehand.life

import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.Enrolment
import io.gatehand.EnrolmentCodeException
import io.gatehand.ErrorCode
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestDevice
import io.gatehand.testing.TestLibrary
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.Before
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** What a scan engine reads, through the native library. */
@RunWith(RobolectricTestRunner::class)
class ScannedCodeTest {
    private val token = "kpp4jn8g2ynzonp6"

    @Before
    fun load() {
        TestLibrary.use()
    }

    private fun refusal(text: String): EnrolmentCodeException = assertFailsWith(text) { Enrolment.parse(text) }

    @Test
    fun a_code_a_link_and_typed_words_are_the_same_enrolment() {
        val device = TestDevice("https://pretix.eu/tickets/", 1, token)
        for (enrolment in listOf(Enrolment.parse(device.code), Enrolment.parse(" ${device.link}\r\n"), Enrolment.of("pretix.eu/tickets", " $token "))) {
            assertEquals("https://pretix.eu", enrolment.origin)
            assertEquals("pretix.eu", enrolment.host)
            assertEquals("https://pretix.eu/tickets", enrolment.server.trimEnd('/'))
            assertEquals(Enrolment.parse(device.code), enrolment)
            assertFalse(token in "$enrolment ${enrolment.confirmed(enrolment.origin)}")
        }
    }

    @Test
    fun a_whole_code_is_no_token() {
        val device = TestDevice("https://pretix.eu/tickets/", 1, token)
        for (text in listOf(device.code, device.link, "https://pretix.eu")) {
            val error = assertFailsWith<EnrolmentCodeException> { Enrolment.of("https://pretix.eu", text) }
            assertFalse(token in error.message, error.message)
        }
    }

    @Test
    fun a_code_typed_through_another_keyboard_layout_says_so() {
        val typed = "ÜÄhandshake?versionÄÖ 1, ÄurlÄÖ ÄhttpsÖ--pretix.euÄ, ÄtokenÄÖ Äkpp4jn8g2znyonp6Ä*"
        val enrolment = Enrolment.parse("$typed\r")
        assertEquals(Enrolment.of("https://pretix.eu", token), enrolment)
        assertTrue("German" in enrolment.mapping!!, enrolment.mapping)
        assertNull(Enrolment.parse(TestDevice("https://pretix.eu", 1, token).code).mapping)
        assertTrue("layout" in refusal(typed.dropLast(1)).message)
    }

    @Test
    fun only_what_the_person_agreed_to_can_be_redeemed() {
        val shown = Enrolment.parse(TestDevice("https://pretix.eu", 1, token).code)
        val other = Enrolment.parse(TestDevice("https://pretix.eu.example", 1, token).code)
        val error = assertFailsWith<IllegalArgumentException> { other.confirmed(shown.origin) }
        assertTrue("https://pretix.eu.example" in error.message!! && "ask again" in error.message!!, error.message)
        // A host that only looks the same is shown as what it is.
        val origin = Enrolment.of("https://pr\u0435tix.eu", token).origin
        assertTrue("https://xn--prtix-0we.eu" in origin, origin)
    }

    @Test
    fun whether_others_can_read_what_is_sent_is_known_before_it_is() {
        for (near in listOf("https://pretix.eu", "http://localhost:8345", "http://127.0.0.1:8345", "http://[::1]")) {
            assertTrue(Enrolment.of(near, token).isSecure, near)
        }
        for (far in listOf("http://pretix.eu", "http://192.168.1.5:8345", "http://localhost.evil.example")) {
            assertFalse(Enrolment.of(far, token).isSecure, far)
        }
    }

    @Test
    fun a_token_is_not_sent_unencrypted_to_another_machine_unless_the_app_allows_it(): Unit = runBlocking {
        StandInKeystore.reset()
        val enrolment = Enrolment.of("http://192.0.2.1:8345", token)
        val confirmed = enrolment.confirmed(enrolment.origin)
        Devices.openImpatient().use { agent ->
            val error = assertFailsWith<EnrolmentCodeException> { agent.initialize(confirmed) }
            assertEquals(ErrorCode.ENROLMENT_INVALID, error.code)
            assertTrue("https" in error.message && "AgentConfig" in error.message && "--" !in error.message, error.message)
            assertEquals(DeviceState.NotEnrolled, agent.status())
        }
        Devices.openImpatient { allowHttp(true) }.use { agent ->
            assertFailsWith<ConnectionException> { agent.initialize(confirmed) }
        }
    }

    @Test
    @Config(sdk = [27])
    fun anything_else_is_refused_in_words_for_the_person() {
        assertEquals(ErrorCode.ENROLMENT_TOO_NEW, refusal("""{"handshake_version": 2, "url": "https://pretix.eu", "token": "$token"}""").code)
        val garbage = listOf(
            "",
            " \n",
            "4006381333931",
            "https://pretix.eu",
            "pretixscan://other?url=https%3A%2F%2Fpretix.eu",
            "pretixscan://setup?url=https%3A%2F%2Fpretix.eu",
            """{"handshake_version": 1, "url": "https://pretix.eu", "token"""",
            """{"handshake_version": 1, "url": "ftp://pretix.eu", "token": "$token"}""",
            """{"version": 1, "url": "https://pretix.eu", "token": "$token"}""",
            "[]",
            "🎫",
            "a\u0000b",
            "x".repeat(1_000_000),
        )
        val messages = garbage.map { text ->
            val error = refusal(text)
            assertEquals(ErrorCode.ENROLMENT_INVALID, error.code, text.take(99))
            assertFalse(token in error.stackTraceToString(), text)
            assertTrue(error.message.length in 20..300, error.message)
            error.message
        }
        assertTrue(messages.toSet().size > garbage.size / 2, "$messages")
    }
}
