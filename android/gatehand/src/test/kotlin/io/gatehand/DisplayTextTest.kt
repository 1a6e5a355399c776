package io.gatehand

import kotlin.test.Test
import kotlin.test.assertEquals

class DisplayTextTest {
    @Test
    fun what_steers_is_replaced_and_what_is_written_stays() {
        for (letter in "\u0000\t\n\r\u001B\u007F\u0085\u009B\u061C\u200E\u200F\u2028\u202E\u2067\u206A\u00AD\u200B\u2060\u3164\uFEFF") {
            assertEquals("a\uFFFDb", DisplayText.of("a${letter}b"), "U+%04X".format(letter.code))
        }
        for (text in listOf("", "Lane 1", "Größe \"M\" <b>", "入口 👩‍🚀", "بوابة", "e\u0301", "می\u200Cخواهم")) assertEquals(text, DisplayText.of(text))
    }

    @Test
    fun a_character_of_two_halves_is_replaced_as_one() {
        assertEquals("a\uFFFDb", DisplayText.of("a\uDB40\uDC41b"))
        assertEquals("\uD83D", DisplayText.of("\uD83D"))
    }

    @Test
    fun what_is_written_into_a_log_is_one_line() {
        val odd = "Lane\n1\u202E"
        val gate = Gate(1, odd, odd)
        val identity = Identity("https://pretix.eu", odd, 1, odd, odd, odd, gate, odd, 0)
        val values = listOf(
            gate, identity, DeviceState.Enrolled(identity), DeviceState.AnswerLost("https://pretix.eu", identity, "advice"),
            AgentEvent.IdentityChanged(identity, identity), EventSelection(odd, odd), EventSuggestion.Switch(EventSelection(odd, odd)),
            MediumKeySet(1, odd, true, odd, ByteArray(1), ByteArray(1)),
        )
        for (value in values) assertEquals(DisplayText.of("$value"), "$value")
        assertEquals(odd, identity.name)
    }
}
