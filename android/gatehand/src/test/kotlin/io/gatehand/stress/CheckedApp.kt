package io.gatehand.stress

import io.gatehand.AgentConfig
import io.gatehand.Enrolment
import io.gatehand.Leftovers
import io.gatehand.ScannerAgent
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestLibrary
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** An app under stress in a process of its own, whose every step over the border the JVM checks. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [27])
class CheckedApp {
    @Test
    fun makes_many_calls(): Unit = runBlocking {
        TestLibrary.use()
        StandInKeystore.reset()
        val opened = AtomicInteger()
        val open = {
            opened.incrementAndGet()
            val config = AgentConfig.Builder("pretixSCAN", "2.3.1").build()
            ScannerAgent.open(RuntimeEnvironment.getApplication(), config)
        }
        open().use { agent ->
            val enrolment = Enrolment.parse(System.getProperty(CODE))
            agent.initialize(enrolment.confirmed(enrolment.origin))
        }
        val each = Integer.getInteger(EACH)
        val many = ManyCalls(Random(SEED), open)
        many.run(COROUTINES, each, closeAfter = COROUTINES * each / CLOSED)
        many.close()

        Leftovers.awaitNothingAlive()
        Leftovers.awaitNoThreads()
        println("calls: done ${many.done}, cancelled ${many.cancelled}, closed ${many.closed}, agents $opened")
        assertEquals(COROUTINES * each, many.done.get() + many.cancelled.get() + many.closed.get())
        assertTrue(many.done.get() > COROUTINES * each / 2, "too few calls were done")
        assertTrue(many.cancelled.get() > COROUTINES * each / 100, "too few calls were cancelled")
        assertTrue(many.closed.get() > 0, "no call met a closed agent")
    }

    companion object {
        const val CODE = "gatehand.test.code"
        const val EACH = "gatehand.test.each"
        const val COROUTINES = 64
        const val SEED = 20261124

        /** How often the agent is closed under the calls. */
        private const val CLOSED = 40
    }
}
