package io.gatehand.benchmark

import java.io.File
import java.lang.management.ManagementFactory
import kotlin.system.exitProcess
import org.junit.runner.JUnitCore

private const val ROUNDS = 15

/** Lets as many JVMs as the argument says measure one after the other, and prints what came of it. */
fun main(arguments: Array<String>) {
    if (arguments.firstOrNull() == "measure") {
        val result = JUnitCore.runClasses(Measurement::class.java)
        result.failures.forEach { System.err.println(it.trace) }
        exitProcess(if (result.wasSuccessful()) 0 else 1)
    }
    val rounds = (1..arguments.first().toInt()).flatMap { measured() }
    print(Report(rounds).text())
}

/** One JVM's rounds. It has the options of this one. */
private fun measured(): List<Round> {
    val results = File.createTempFile("benchmark", null)
    val own = ManagementFactory.getRuntimeMXBean()
    val command = listOf(File(System.getProperty("java.home"), "bin/java").path) + own.inputArguments + listOf(
        "-Dbenchmark.results=$results",
        "-Dbenchmark.rounds=${Integer.getInteger("rounds", ROUNDS)}",
        "-Djmh.ignoreLock=true",
        "-cp", own.classPath, "io.gatehand.benchmark.BenchmarkKt", "measure",
    )
    check(ProcessBuilder(command).inheritIO().start().waitFor() == 0) { "a JVM that measures failed" }
    return results.readLines().map { line ->
        line.split(" ").map { it.split("=") }.associate { (name, score) -> Operation.entries.first { it.method == name } to score.toDouble() }
    }
}
