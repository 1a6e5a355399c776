package io.gatehand.stress

import io.gatehand.ApiRequest
import io.gatehand.ScannerAgent
import java.io.IOException
import java.util.concurrent.CancellationException
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/**
 * Many coroutines that make calls of all kinds, cancel some of them at any moment, and now and then
 * close the agent under the others, who go on with the next one.
 *
 * @param open Opens the agent, once the one before is closed.
 */
internal class ManyCalls(private val random: Random, private val open: () -> ScannerAgent) {
    private val lock = Any()
    private var agent = open()
    private var calls = 0

    val done = AtomicInteger()
    val cancelled = AtomicInteger()
    val closed = AtomicInteger()

    /** Makes [each] calls in each of so many [coroutines], and closes the agent after every [closeAfter]. */
    suspend fun run(coroutines: Int, each: Int, closeAfter: Int): Unit = withContext(Dispatchers.Default) {
        repeat(coroutines) { number ->
            val mine = Random(random.nextInt() + number)
            launch { repeat(each) { one(mine, next(closeAfter)) } }
        }
    }

    fun close(): Unit = synchronized(lock) { agent.close() }

    private fun next(closeAfter: Int): ScannerAgent = synchronized(lock) {
        calls += 1
        if (calls % closeAfter == 0) {
            agent.close()
            agent = open()
        }
        agent
    }

    private suspend fun one(random: Random, agent: ScannerAgent) {
        if (random.nextInt(CANCELLED_ONE_IN) > 0) return counted { call(random, agent) }
        coroutineScope {
            val call = launch(start = CoroutineStart.UNDISPATCHED) { counted { call(random, agent) } }
            if (random.nextBoolean()) delay(random.nextLong(LONGEST_WAIT))
            call.cancelAndJoin()
        }
    }

    private suspend fun counted(call: suspend () -> Unit) {
        try {
            call()
            done.incrementAndGet()
        } catch (stopped: CancellationException) {
            cancelled.incrementAndGet()
            throw stopped
        } catch (_: IllegalStateException) {
            closed.incrementAndGet()
        } catch (broken: IOException) {
            // A body that is read while its agent is closed.
            if (broken.cause !is IllegalStateException) throw broken
            closed.incrementAndGet()
        }
    }

    private suspend fun call(random: Random, agent: ScannerAgent) {
        when (random.nextInt(KINDS)) {
            0 -> agent.request(ApiRequest.get("api/v1/device/info"))
            1 -> agent.stream(ApiRequest.get("api/v1/device/info")).use { if (random.nextBoolean()) it.body.read() }
            2 -> agent.eventSelection()
            else -> agent.status()
        }
    }

    private companion object {
        /** One in so many calls goes over the network, for each of three kinds. */
        const val KINDS = 12
        const val CANCELLED_ONE_IN = 4
        const val LONGEST_WAIT = 4L
    }
}
