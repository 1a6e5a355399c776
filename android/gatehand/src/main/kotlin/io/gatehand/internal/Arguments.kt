package io.gatehand.internal

/** What apps pass, checked where they pass it, so that the stack names their line. */
internal object Arguments {
    /** @throws IllegalArgumentException The text has half of a surrogate pair, which UTF-8 can't carry. */
    fun whole(what: String, text: String): String = text.also {
        require(isWhole(text)) { "$what has half a character (a lone surrogate) in it" }
    }

    /** @throws IllegalArgumentException The text is blank, or has half of a surrogate pair. */
    fun text(what: String, text: String): String = whole(what, text).also {
        require(text.isNotBlank()) { "$what is empty" }
    }

    /** @throws IllegalArgumentException The text does not fit into a header field. */
    fun header(what: String, text: String): String = text.also {
        require(text.isNotBlank() && text.all { it in ' '..'~' }) { "$what must be made of printable ASCII characters, and not be empty" }
    }

    private fun isWhole(text: String): Boolean {
        var index = 0
        while (index < text.length) {
            val letter = text[index++]
            if (letter.isLowSurrogate()) return false
            if (letter.isHighSurrogate() && (index == text.length || !text[index++].isLowSurrogate())) return false
        }
        return true
    }
}
