package io.gatehand.sample

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue

class EnrolmentTest : ServerTest() {
    @Test
    fun a_scanned_code_asks_for_its_server_first_and_then_shows_who_the_device_is() {
        val device = server.createDevice("Lane 7")
        gate.open()
        gate.sees(R.string.scan_the_code)
        gate.scan(device.code)
        gate.sees(R.string.confirm_title)
        gate.sees(server.address)
        assertNothingWasSentFor(device)
        gate.press(R.string.confirm_yes)
        gate.sees("Lane 7")
        gate.sees(R.string.enrolled_title)
        gate.press(R.string.maintain)
        gate.sees("bigevents")
        gate.sees(server.address)
        assertTrue(isInitialized(device))
        assertEquals("gatehand sample", server.device(device.id).getString("software_brand"))
        assertEquals("0.1.0", server.device(device.id).getString("software_version"))
    }

    @Test
    fun a_link_that_starts_the_app_is_not_redeemed_before_its_server_is_confirmed() {
        val device = server.createDevice()
        gate.open(device.link)
        gate.sees(R.string.confirm_title)
        gate.sees(server.address)
        assertNothingWasSentFor(device)
        gate.press(R.string.confirm_yes)
        gate.sees(R.string.enrolled_title)
    }

    @Test
    fun a_link_that_comes_to_the_open_app_asks_the_same() {
        val device = server.createDevice()
        gate.open()
        gate.sees(R.string.scan_the_code)
        gate.openLink(device.link)
        gate.sees(R.string.confirm_title)
        assertNothingWasSentFor(device)
        gate.press(R.string.confirm_yes)
        gate.sees(R.string.enrolled_title)
    }

    @Test
    fun a_declined_server_gets_nothing_by_button_or_back_key() {
        val device = server.createDevice()
        gate.open()
        gate.sees(R.string.scan_the_code)
        gate.scan(device.code)
        gate.press(R.string.confirm_no)
        gate.sees(R.string.scan_the_code)
        gate.scan(device.code)
        gate.sees(R.string.confirm_title)
        gate.back()
        gate.sees(R.string.scan_the_code)
        assertFalse(gate.activity.isFinishing)
        assertNothingWasSentFor(device)
        assertTrue(gate.backLeaves())
    }

    @Test
    fun a_declined_link_does_not_come_back_when_the_device_is_turned() {
        val device = server.createDevice()
        gate.open(device.link)
        gate.press(R.string.confirm_no)
        gate.rotate()
        gate.sees(R.string.scan_the_code)
        // What the link would do is done by then, as codes are read one after the other.
        gate.scan("a ticket")
        gate.sees(R.string.error_code_invalid)
        assertFalse(gate.shows(R.string.confirm_title))
        assertNothingWasSentFor(device)
    }

    @Test
    fun address_and_token_can_be_typed() {
        val device = server.createDevice()
        gate.open()
        gate.press(R.string.type_instead)
        gate.type(R.id.server, server.address)
        gate.type(R.id.token, device.token)
        gate.press(R.string.type_submit)
        gate.sees(R.string.confirm_title)
        gate.sees(server.address)
        assertNothingWasSentFor(device)
        gate.press(R.string.confirm_yes)
        gate.sees(R.string.enrolled_title)
        gate.await("empty fields") { gate.typed(R.id.token).isEmpty() }
    }

    @Test
    fun what_is_mistyped_is_said_in_a_sentence_and_can_be_mended() {
        gate.open()
        gate.press(R.string.type_instead)
        gate.type(R.id.server, server.address)
        gate.press(R.string.type_submit)
        gate.sees(R.string.error_code_invalid)
        gate.seesPart("the token is empty")
        gate.type(R.id.token, server.createDevice().token)
        gate.press(R.string.type_submit)
        gate.sees(R.string.confirm_title)
    }

    @Test
    fun what_is_no_code_of_a_device_is_said_in_a_sentence() {
        gate.open()
        gate.sees(R.string.scan_the_code)
        gate.scan("https://example.com/menu")
        gate.sees(R.string.error_code_invalid)
        gate.seesPart("this is a web address without a token, not an enrolment code")
        gate.sees(R.string.scan_the_code)
    }

    @Test
    fun a_code_that_the_server_does_not_know_is_said_in_a_sentence() {
        gate.open()
        gate.sees(R.string.scan_the_code)
        gate.scan("""{"handshake_version": 1, "url": "${server.address}", "token": "abcdefgh12345678"}""")
        gate.press(R.string.confirm_yes)
        gate.sees(R.string.error_token_refused)
        gate.seesPart("${server.address} refused: ")
        gate.sees(R.string.scan_the_code)
        assertFalse(gate.texts().any { "abcdefgh12345678" in it || "Exception" in it }, "${gate.texts()}")
    }

    @Test
    fun a_second_code_does_not_slip_under_a_question_that_is_open() {
        val device = server.createDevice()
        gate.open()
        gate.sees(R.string.scan_the_code)
        gate.scan(device.code)
        gate.sees(R.string.confirm_title)
        gate.scan("""{"handshake_version": 1, "url": "https://elsewhere.example", "token": "abcdefgh12345678"}""")
        gate.sees(R.string.answer_first)
        gate.sees(server.address)
        // An answer to a question that is not open any more, or never was, does nothing.
        gate.app.model.act(Action.Enrol("https://elsewhere.example"))
        gate.press(R.string.confirm_yes)
        gate.sees(R.string.enrolled_title)
        assertTrue(isInitialized(device))
    }

    @Test
    fun an_enrolled_device_takes_no_other_code() {
        enrolledGate()
        val other = server.createDevice("Lane 3")
        gate.scan(other.code)
        gate.sees(R.string.error_already_enrolled)
        gate.openLink(other.link)
        gate.sees(R.string.error_already_enrolled)
        assertFalse(gate.shows(R.string.confirm_title))
        assertNothingWasSentFor(other)
    }

    @Test
    fun a_link_that_starts_the_app_of_an_enrolled_device_is_turned_down() {
        enrolledGate()
        val other = server.createDevice("Lane 3")
        gate.leave()
        gate.open(other.link)
        gate.sees(R.string.error_already_enrolled)
        gate.sees("Lane 2")
        assertNothingWasSentFor(other)
    }

    @Test
    fun a_server_that_would_get_the_token_unencrypted_is_turned_down_before_the_question() {
        val server = "http://192.168.1.5:8345"
        gate.open()
        gate.sees(R.string.scan_the_code)
        gate.scan("""{"handshake_version": 1, "url": "$server", "token": "abcdefgh12345678"}""")
        gate.sees(R.string.error_not_encrypted, server)
        gate.press(R.string.type_instead)
        gate.type(R.id.server, server)
        gate.type(R.id.token, "abcdefgh12345678")
        gate.press(R.string.type_submit)
        gate.sees(R.string.error_not_encrypted, server)
        assertFalse(gate.shows(R.string.confirm_title))
    }
}
