package io.gatehand.sample

import kotlin.test.Test
import kotlin.test.assertEquals

class BreaksTest {
    private fun shown(text: String) = Breaks.into(text).replace('\u200B', '|')

    @Test
    fun what_is_long_may_be_broken_after_what_separates_its_parts() {
        assertEquals("https://|tickets.|veranstaltungen.|example/|shop", shown("https://tickets.veranstaltungen.example/shop"))
        assertEquals("grosse-|veranstaltungen_|2027", shown("grosse-veranstaltungen_2027"))
        assertEquals("Lane a-|very-|long-|name it is", shown("Lane a-very-long-name it is"))
    }

    @Test
    fun what_is_short_stays_whole() {
        for (text in listOf("2026.8.0", "Lane 2", "", "a-b", "ABCDEFGHIJKLMNOP", "...........................")) assertEquals(text, shown(text))
    }

    @Test
    fun the_marks_are_not_spoken() {
        val text = "landeshauptstadt-musterhausen"
        assertEquals(text, Breaks.without(Breaks.into(text)))
        assertEquals(17, Breaks.longestPiece(Breaks.into(text)))
        assertEquals(0, Breaks.longestPiece(""))
    }
}
