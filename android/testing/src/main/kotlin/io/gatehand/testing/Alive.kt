package io.gatehand.testing

/** What the testing library has in this process; android/testing/native has the other side. */
object Alive {
    /** Place of the responses in [counts]. */
    const val RESPONSES = 2

    /** How many agents, calls, responses and global references there are, in this order. */
    @JvmStatic
    external fun counts(): LongArray
}
