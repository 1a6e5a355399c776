package io.gatehand

import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue

/** What apps pass, and what becomes of it when it is nonsense. */
class ArgumentsTest {
    @Test
    fun an_app_without_name_or_version_is_refused_in_words() {
        assertTrue("app's name is empty" in assertFailsWith<IllegalArgumentException> { AgentConfig.Builder(" ", "1") }.message!!)
        assertTrue("app's version is empty" in assertFailsWith<IllegalArgumentException> { AgentConfig.Builder("a", "") }.message!!)
        assertFailsWith<IllegalArgumentException> { AgentConfig.Builder("x".repeat(191), "1") }
        assertEquals("pretixSCAN", AgentConfig.Builder(" pretixSCAN\n", "1").build().appName)
    }

    @Test
    fun a_vaults_name_is_never_a_path() {
        for (name in listOf("", "..", "a/b", "A", "a".repeat(41), "a\u0000")) {
            assertFailsWith<IllegalArgumentException>(name) { AgentConfig.Builder("a", "1").vaultName(name) }
        }
        assertEquals("lane-1_b", AgentConfig.Builder("a", "1").vaultName("lane-1_b").build().vaultName)
    }

    @Test
    fun time_limits_are_more_than_nothing() {
        assertFailsWith<IllegalArgumentException> { AgentConfig.Builder("a", "1").timeLimit(0, TimeUnit.SECONDS) }
        assertFailsWith<IllegalArgumentException> { AgentConfig.Builder("a", "1").connectTimeout(-1, TimeUnit.SECONDS) }
        assertFailsWith<IllegalArgumentException> { ApiRequest.Builder("GET", "/").timeLimit(1, TimeUnit.MICROSECONDS) }
        assertFailsWith<IllegalArgumentException> { ApiRequest.Builder("GET", "/").readTimeout(0, TimeUnit.SECONDS) }
    }

    @Test
    fun a_request_has_a_method_a_path_and_a_key_that_fit_into_a_header() {
        for (method in listOf("", "get", "GET ", "G\nET")) {
            assertFailsWith<IllegalArgumentException>(method) { ApiRequest.Builder(method, "/") }
        }
        assertFailsWith<IllegalArgumentException> { ApiRequest.get(" ") }
        for (key in listOf("", "a b", "a\nb", "ü")) {
            assertFailsWith<IllegalArgumentException>(key) { ApiRequest.Builder("POST", "/").idempotencyKey(key) }
        }
    }

    @Test
    fun a_body_has_no_negative_length_but_the_one_for_unknown() {
        val stream = { length: Long -> ApiBody.stream(ByteArray(0).inputStream(), "text/plain", length) }
        assertFailsWith<IllegalArgumentException> { stream(-5) }
        stream(-1)
    }

    @Test
    fun what_is_not_known_is_not_given_as_an_empty_text() {
        for (blank in listOf("", " \n")) {
            assertTrue("address is empty" in assertFailsWith<IllegalArgumentException> { ExistingIdentity(blank, "key") }.message!!)
            assertTrue("the serial" in assertFailsWith<IllegalArgumentException> { ExistingIdentity("https://a", "key", blank) }.message!!)
            assertTrue("the RSA key's alias" in assertFailsWith<IllegalArgumentException> { ExistingIdentity("https://a", "key", null, blank) }.message!!)
            assertTrue("the event is empty" in assertFailsWith<IllegalArgumentException> { EventSelection(blank) }.message!!)
        }
        ExistingIdentity("https://a", "key", null)
    }

    @Test
    fun json_with_half_a_character_is_refused() {
        assertFailsWith<IllegalArgumentException> { ApiBody.json("{\"name\": \"\uD83C\"}") }
    }

    @Test
    fun an_enrolment_is_redeemed_only_where_the_person_agreed_to() {
        val enrolment = Enrolment("https://pretix.eu/tickets/", "https://pretix.eu", "pretix.eu", "https://pretix.eu", true, "kpp4jn8g2ynzonp6")
        val error = assertFailsWith<IllegalArgumentException> { enrolment.confirmed("https://pretix.example") }
        assertTrue("https://pretix.example" in error.message!! && "https://pretix.eu" in error.message!!)
        assertFailsWith<IllegalArgumentException> { enrolment.confirmed("pretix.eu") }
        assertEquals(enrolment, enrolment.confirmed(enrolment.origin).enrolment)
    }

    @Test
    fun secrets_are_in_no_text_of_an_object() {
        val enrolment = Enrolment("https://pretix.eu", "https://pretix.eu", "pretix.eu", "https://pretix.eu", true, "kpp4jn8g2ynzonp6")
        val texts = listOf(enrolment, enrolment.confirmed(enrolment.origin), ExistingIdentity("https://pretix.eu", "kpp4jn8g2ynzonp6"))
        texts.forEach { assertFalse("kpp4jn8g2ynzonp6" in it.toString()) }
    }
}
