package io.gatehand.sample

/** Where long addresses, slugs and the like may go on in the next line: Android itself breaks them anywhere. */
object Breaks {
    private const val MARK = '\u200B'
    private val LONG = Regex("\\S{14,}")
    private val AFTER = Regex("(?<=[-_./:@])(?=[^-_./:@\\s])")

    /** [text] with marks that nobody sees where it may be broken. */
    fun into(text: String): String = text.replace(LONG) { it.value.replace(AFTER, MARK.toString()) }

    /** The same without the marks, for what is spoken. */
    fun without(text: String): String = text.filter { it != MARK }

    /** Characters of the longest piece that has to stay whole. */
    fun longestPiece(text: String): Int = text.split(MARK, ' ').maxOf { it.length }
}
