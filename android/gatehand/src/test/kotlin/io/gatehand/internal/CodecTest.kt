package io.gatehand.internal

import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.ExistingIdentity
import io.gatehand.GatehandException
import io.gatehand.internal.keystore.OtherKeyException
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import org.json.JSONObject
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [21, 35])
class CodecTest {
    private fun state(json: String): DeviceState = Codec.state(json.encodeToByteArray())

    @Test
    fun an_answer_of_another_shape_is_a_defect_and_never_a_state() {
        for (json in listOf("", "{}", """{"state":"asleep"}""", """{"state":"enrolled"}""", """{"state":"enrolled","identity":{}}""")) {
            assertEquals(ErrorCode.INTERNAL, assertFailsWith<GatehandException>(json) { state(json) }.code)
        }
    }

    @Test
    fun header_fields_keep_their_order_and_are_found_in_any_case() {
        val (status, headers) = Codec.head("""{"status":304,"headers":[["ETag","a"],["Link","1"],["link","2"]]}""".encodeToByteArray())
        assertEquals(304, status)
        assertEquals("a", headers["etag"])
        assertEquals(listOf("1", "2"), headers.all("LINK"))
        assertEquals(listOf("etag", "link"), headers.names().toList())
    }

    @Test
    fun text_with_emoji_and_nul_survives_and_half_a_character_is_refused_in_words() {
        assertEquals("", Codec.text("", "it").decodeToString())
        for (text in listOf("🎫", "a\u0000b", "ü")) {
            assertEquals(text, Codec.text(text, "it").decodeToString())
            val sent = JSONObject(Codec.encode(ExistingIdentity("https://a", "key", text)).decodeToString())
            assertEquals(text, sent.getString("unique_serial"))
        }
        for (broken in listOf("\uD83C", "a\uDFAB", "\uDFAB\uD83C")) {
            val error = assertFailsWith<GatehandException> { Codec.text(broken, "the scanned text") }
            assertEquals(ErrorCode.ARGUMENT_INVALID, error.code)
            assertEquals(true, "the scanned text" in error.message)
            assertFailsWith<GatehandException> { Codec.encode(JSONObject().put("a", broken)) }
        }
    }

    @Test
    fun keys_of_media_are_opened_where_they_are_encrypted() {
        val json = """{"medium_key_sets":[
            {"public_id":1,"organizer":"o","active":true,"media_type":"nfc_mf0aes","uid_key":"AQI=","diversification_key":"Aw==","encrypted":true},
            {"public_id":2,"organizer":"o","active":false,"media_type":"nfc_mf0aes","uid_key":"AQI=","diversification_key":"Aw==","encrypted":false}],"as_of_ms":7,"unasked":null}"""
        val bytes = json.encodeToByteArray()
        val sets = Codec.mediumKeySets(bytes) { it.reversedArray() }
        assertTrue(bytes.all { it == 0.toByte() }, "the keys are still in memory")
        assertContentEquals(byteArrayOf(2, 1), sets[0].uidKey())
        assertContentEquals(byteArrayOf(1, 2), sets[1].uidKey())
        assertFalse(sets.toString().contains("AQI") || sets.toString().contains("[1"))
    }

    @Test
    fun keys_of_media_that_can_t_be_opened_are_a_fault_of_the_server() {
        val decrypts = listOf<(ByteArray) -> ByteArray>({ it }, { throw OtherKeyException("bad") })
        for ((coded, decrypt) in listOf("=odd\u202e=" to decrypts[0], "AQI=" to decrypts[1])) {
            val json = """{"medium_key_sets":[{"public_id":7,"organizer":"o","active":true,"media_type":"m","uid_key":"$coded",
                "diversification_key":"Aw==","encrypted":true}],"as_of_ms":7,"unasked":null}"""
            val error = assertFailsWith<ConnectionException> { Codec.mediumKeySets(json.encodeToByteArray(), decrypt) }
            assertEquals(ErrorCode.SERVER_FAILED, error.code)
            assertTrue("set 7" in error.message, error.message)
        }
    }

    @Test
    fun what_held_a_token_is_wiped_though_it_could_not_be_read() {
        val whole = """{"server":"https://a","origin":"https://a","exact_origin":"https://a","host":"a","is_secure":true,"token":"kpp4jn8g2ynzonp6","other_tokens":[]}"""
        for (text in listOf(whole, whole.replace("origin", "other"))) {
            val bytes = text.encodeToByteArray()
            val read = runCatching { Codec.enrolment(bytes) }
            assertEquals(text == whole, read.isSuccess)
            assertTrue(bytes.all { it == 0.toByte() }, "the token is still in memory")
        }
    }
}
