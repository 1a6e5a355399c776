package io.gatehand.life

import io.gatehand.DisplayText
import kotlin.random.Random
import kotlin.test.assertNull
import kotlinx.coroutines.runBlocking

/** Names of any kind that a server takes, made at random. */
internal object OddNames {
    private const val LONGEST = 190
    private const val CODE_POINTS = 0x110000
    private val surrogates = 0xD800..0xDFFF
    private const val ODD = "\t\n\r\u0001\u001B\u007F\u0080\u009B\u200E\u202E\u2028\u2069\uFEFF\uFFFE\"\\/'<&%"
    private const val TURNS = "\u061C\u200E\u200F\u2028\u2029\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069\u206A\u206F"

    /** Tests with [cases] random ones. `-DargLine=-Dgatehand.seed=SEED` repeats those of a failure. */
    fun forMany(cases: Int, test: suspend (Random) -> Unit): Unit = runBlocking {
        val seed = System.getProperty("gatehand.seed")?.toLong() ?: Random.nextLong()
        val random = Random(seed)
        repeat(cases) { case ->
            try {
                test(random)
            } catch (failure: Throwable) {
                throw AssertionError("case $case of seed $seed: ${DisplayText.of(failure.message.orEmpty())}", failure)
            }
        }
    }

    /** 1 to 190 characters without NUL that are not blank. */
    fun one(random: Random): String {
        while (true) {
            val name = buildString { repeat(random.nextInt(1, LONGEST + 1)) { appendCodePoint(letter(random)) } }
            if (name.any { !it.isWhitespace() && !it.isISOControl() }) return name
        }
    }

    private fun letter(random: Random): Int = when (random.nextInt(4)) {
        0 -> (' '..'~').random(random).code
        1 -> generateSequence { random.nextInt(1, CODE_POINTS) }.first { it !in surrogates }
        else -> ODD.random(random).code
    }

    /** Asserts that nothing in a text does more than be read. */
    fun assertOnlyReads(text: String) {
        assertNull(text.firstOrNull { it.isISOControl() || it in TURNS }, text)
    }
}
