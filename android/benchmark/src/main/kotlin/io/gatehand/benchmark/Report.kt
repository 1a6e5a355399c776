package io.gatehand.benchmark

import kotlin.math.floor
import kotlin.math.max
import kotlin.math.sqrt

/** Nanoseconds that each operation took in one round. */
internal typealias Round = Map<Operation, Double>

/** What the rounds say: medians, and between which values the true one is with a confidence of 95 %. */
internal class Report(private val rounds: List<Round>) {
    fun text(): String = buildString {
        appendLine("%-46s %12s   %s".format("", "median, µs", "95 % confidence"))
        for (operation in Operation.entries) {
            val times = Spread(rounds.map { it.getValue(operation) / NANOS })
            appendLine("%-46s %12.3f   %.3f to %.3f".format(operation.says, times.median, times.low, times.high))
        }
        appendLine()
        appendLine("%-46s %8s   %-18s %s".format("ratio within a round (${rounds.size} rounds)", "median", "95 % confidence", "target"))
        for (ratio in RATIOS) {
            val spread = Spread(rounds.map { it.getValue(ratio.of) / it.getValue(ratio.to) })
            val target = ratio.target?.let { (if (spread.median <= it) "≤ %.2f met" else "≤ %.2f MISSED").format(it) }.orEmpty()
            appendLine("%-46s %8.3f   %-18s %s".format(ratio.says, spread.median, "%.3f to %.3f".format(spread.low, spread.high), target))
        }
    }

    private class Ratio(val of: Operation, val to: Operation, val says: String, val target: Double? = null)

    /** The median of [values], and its confidence interval from their ranks, whatever their distribution. */
    private class Spread(values: List<Double>) {
        private val sorted = values.sorted()
        private val outside = max(0, floor((sorted.size - Z * sqrt(sorted.size.toDouble())) / 2).toInt())
        val median = (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2
        val low = sorted[outside]
        val high = sorted[sorted.size - 1 - outside]
    }

    private companion object {
        const val NANOS = 1000.0
        const val Z = 1.96
        val RATIOS = listOf(
            Ratio(Operation.STATUS, Operation.LEAST_NATIVE_CALL, "status() / the least native call", 20.0),
            Ratio(Operation.STATUS, Operation.KEY_IN_JAVA, "status() / key decrypted in Java", 1.0),
            Ratio(Operation.REQUEST_BLOCKING, Operation.OK_HTTP_BLOCKING, "request() / OkHttp, on a thread that waits", 1.25),
            Ratio(Operation.INTERCEPTED, Operation.OK_HTTP_BLOCKING, "OkHttp with gatehand-okhttp / OkHttp", 1.25),
            Ratio(Operation.REQUEST_SUSPENDING, Operation.OK_HTTP_SUSPENDING, "request() / OkHttp, from a coroutine", 1.1),
            Ratio(Operation.REQUEST_BLOCKING_AT_ONCE, Operation.OK_HTTP_BLOCKING_AT_ONCE, "request() / OkHttp, from 8 threads"),
            Ratio(Operation.REQUEST_SUSPENDING_AT_ONCE, Operation.OK_HTTP_SUSPENDING_AT_ONCE, "request() / OkHttp, from 8 coroutines"),
        )
    }
}
