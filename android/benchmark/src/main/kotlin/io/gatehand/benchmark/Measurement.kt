package io.gatehand.benchmark

import io.gatehand.testing.TestServer
import java.io.File
import java.util.concurrent.TimeUnit
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.openjdk.jmh.runner.Runner
import org.openjdk.jmh.runner.options.OptionsBuilder
import org.openjdk.jmh.runner.options.TimeValue
import org.openjdk.jmh.runner.options.VerboseMode
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/**
 * One JVM's measurements against a server of its own, in Robolectric's class loader, which JMH can't fork into.
 *
 * Rounds measure everything once, shortly after each other and every other round in reverse, so that
 * what else the machine does hits all alike; ratios are taken within a round.
 */
@RunWith(RobolectricTestRunner::class)
class Measurement {
    @get:Rule
    val server = TestServer()

    @Test
    fun measure() {
        Device.enrol(RuntimeEnvironment.getApplication(), server)
        val operations = Operation.entries
        measureAll(operations, WARM_UP)
        File(property(RESULTS)).bufferedWriter().use { results ->
            repeat(property(ROUNDS).toInt()) { round ->
                val order = if (round % 2 == 0) operations else operations.reversed()
                val scores = measureAll(order, BETWEEN)
                results.appendLine(operations.joinToString(" ") { "${scores.getValue(it)}" })
            }
        }
        Device.agent.close()
    }

    private fun measureAll(order: List<Operation>, warmUp: TimeValue): Map<Operation, Double> = order.associateWith { operation ->
        val options = OptionsBuilder()
            .include("\\.Operations\\.${operation.method}$")
            .forks(0)
            .warmupIterations(1).warmupTime(warmUp)
            .measurementIterations(1).measurementTime(SPAN)
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT)
            .build()
        val result = Runner(options).runSingle()
        // JMH counts a thread's time; all threads together do that many more.
        result.primaryResult.score / result.params.threads
    }

    private fun property(name: String): String = checkNotNull(System.getProperty(name)) { "run by android/bench.sh" }

    companion object {
        /** Names of the properties that say where to write the rounds' times, and how many to measure. */
        const val RESULTS = "benchmark.results"
        const val ROUNDS = "benchmark.rounds"

        private val WARM_UP = TimeValue(5, TimeUnit.SECONDS)
        private val BETWEEN = TimeValue(300, TimeUnit.MILLISECONDS)
        private val SPAN = TimeValue(1, TimeUnit.SECONDS)
    }
}
