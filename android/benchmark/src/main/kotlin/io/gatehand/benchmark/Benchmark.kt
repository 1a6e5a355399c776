package io.gatehand.benchmark

import java.io.File
import java.lang.management.ManagementFactory
import kotlin.system.exitProcess
import org.junit.runner.JUnitCore

/**
 * Lets JVMs measure, one after the other, and prints what came of it. The arguments are how many, and
 * how many rounds each measures; a JVM that measures is started with the word `measure`.
 */
fun main(arguments: Array<String>) {
    if (arguments.contentEquals(arrayOf(MEASURE))) measure()
    val (jvms, rounds) = arguments.map(String::toInt)
    val measured = (1..jvms).flatMap { jvm ->
        System.err.println("JVM $jvm of $jvms measures $rounds rounds")
        rounds(rounds)
    }
    print(Report(measured).text())
}

private const val MEASURE = "measure"

private fun measure(): Nothing {
    val result = JUnitCore.runClasses(Measurement::class.java)
    result.failures.forEach { System.err.println(it.trace) }
    exitProcess(if (result.wasSuccessful() && result.ignoreCount == 0) 0 else 1)
}

/** Rounds of a new JVM that has the options of this one. */
private fun rounds(count: Int): List<Round> {
    val results = File.createTempFile("benchmark", null)
    try {
        val own = ManagementFactory.getRuntimeMXBean()
        val command = listOf(File(System.getProperty("java.home"), "bin/java").path) + own.inputArguments + listOf(
            "-D${Measurement.RESULTS}=$results",
            "-D${Measurement.ROUNDS}=$count",
            // Nothing else of this run measures meanwhile.
            "-Djmh.ignoreLock=true",
            "-cp", own.classPath, "io.gatehand.benchmark.BenchmarkKt", MEASURE,
        )
        check(ProcessBuilder(command).inheritIO().start().waitFor() == 0) { "a JVM that measures failed" }
        return results.readLines().map { line -> Operation.entries.zip(line.split(" ").map(String::toDouble)).toMap() }
            .also { check(it.size == count) { "a JVM measured ${it.size} rounds instead of $count" } }
    } finally {
        results.delete()
    }
}
