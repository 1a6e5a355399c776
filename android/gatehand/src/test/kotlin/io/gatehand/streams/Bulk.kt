package io.gatehand.streams

import io.gatehand.ExistingIdentity
import io.gatehand.Leftovers
import io.gatehand.ScannerAgent
import io.gatehand.life.Devices
import io.gatehand.testing.BulkServer
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestLibrary
import java.lang.management.ManagementFactory
import java.lang.management.MemoryType
import kotlin.test.assertTrue
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking

/** What tests of large bodies begin with. */
internal object Bulk {
    /** Enough that it would show if it were held in memory. */
    const val LARGE = 200L * 1024 * 1024

    /** An agent of the device that [server] knows. */
    fun with(server: BulkServer, test: suspend CoroutineScope.(ScannerAgent) -> Unit): Unit = runBlocking(Dispatchers.Default) {
        TestLibrary.use()
        StandInKeystore.reset()
        Devices.open().use { agent ->
            agent.adopt(ExistingIdentity(server.address, BulkServer.KEY))
            test(agent)
        }
        Leftovers.awaitNothingAlive()
    }

    /** Does [work] and makes sure that neither Java's heap nor the process grew by what went through. */
    suspend fun inLittleMemory(work: suspend () -> Unit) {
        val heap = ManagementFactory.getMemoryPoolMXBeans().filter { it.type == MemoryType.HEAP }
        System.gc()
        val before = heap.sumOf { it.usage.used }
        heap.forEach { it.resetPeakUsage() }
        val resident = resident()
        work()
        val grown = heap.sumOf { it.peakUsage.used } - before
        assertTrue(grown < LARGE / 2, "Java's heap grew by $grown bytes")
        val all = resident() - resident
        assertTrue(all < LARGE / 2, "the process grew by $all bytes")
    }

    /** What the process has in memory, in bytes. */
    private fun resident(): Long {
        val pages = java.io.File("/proc/self/statm").readText().split(' ')[1]
        return pages.toLong() * PAGE
    }

    private const val PAGE = 4096
}
