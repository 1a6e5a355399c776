package io.gatehand

/**
 * Makes a text that somebody else wrote fit to be shown.
 *
 * Names of devices, gates, events and people may be any text, and the library hands them on as the server
 * has them. For a screen, a notification, a label or a log they are to be cleaned by this.
 */
public object DisplayText {
    private const val INSTEAD = 0xFFFD

    /**
     * The text on one line. In place of each character that would do more than be read, as a line end, an
     * escape character, a mark that turns the direction of writing or what takes no room, there is U+FFFD.
     * Joiners stay: names in some languages are spelt with them.
     */
    @JvmStatic
    public fun of(text: String): String {
        val shown = StringBuilder(text.length)
        var at = 0
        while (at < text.length) {
            val character = text.codePointAt(at)
            shown.appendCodePoint(if (doesMoreThanBeRead(character)) INSTEAD else character)
            at += Character.charCount(character)
        }
        return shown.toString()
    }

    private fun doesMoreThanBeRead(character: Int): Boolean =
        Character.isISOControl(character) || when (character) {
            0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x180E, 0x200B, 0x200E, 0x200F, 0x3164, 0xFEFF, 0xFFA0,
            in 0x2028..0x202E, in 0x2060..0x206F, in 0xFFF9..0xFFFB, in 0xE0000..0xE007F,
            -> true
            else -> false
        }
}
