package io.gatehand

/**
 * Makes a text that somebody else wrote fit to be shown.
 *
 * Names of devices, gates, events and people may be any text, and the library hands them on as the server
 * has them. For a screen, a notification, a label or a log they are to be cleaned by this.
 */
public object DisplayText {
    private const val INSTEAD = '\uFFFD'

    /**
     * The text on one line. In place of each character that would do more than be read, as a line end, an
     * escape character or a mark that turns the direction of writing, there is U+FFFD.
     */
    @JvmStatic
    public fun of(text: String): String {
        val shown = CharArray(text.length) { index -> if (text[index].doesMoreThanBeRead()) INSTEAD else text[index] }
        return String(shown)
    }

    private fun Char.doesMoreThanBeRead(): Boolean =
        isISOControl() || when (this) {
            '\u061C', '\u200E', '\u200F', in '\u2028'..'\u202E', in '\u2066'..'\u206F' -> true
            else -> false
        }
}
