package io.gatehand

import io.gatehand.testing.Alive
import java.io.File
import java.io.IOException
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeout

/** What the native library has in this process. */
internal object Leftovers {
    private const val PATIENCE = 60_000L
    private const val PAUSE = 20L

    /** Its threads. */
    fun threads(): Int = File("/proc/self/task").listFiles().orEmpty().count { thread ->
        try {
            File(thread, "comm").readText().startsWith("gatehand")
        } catch (_: IOException) {
            false // It has just ended.
        }
    }

    /** Waits until its threads have ended. */
    suspend fun awaitNoThreads(): Unit = withTimeout(PATIENCE) { while (threads() > 0) delay(PAUSE) }

    /**
     * Waits until no agent, call, response or global reference is left: what was cancelled may still be about to
     * tell. For tests on the testing library.
     */
    suspend fun awaitNothingAlive(): Unit = withTimeout(PATIENCE) { while (Alive.counts().any { it != 0L }) delay(PAUSE) }
}
