package io.gatehand

import io.gatehand.testing.TestLibrary
import java.io.File
import java.util.concurrent.TimeUnit
import kotlin.system.exitProcess
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import org.junit.runner.JUnitCore

/** Runs an app in a JVM of its own. The app is a class with one test, which Robolectric runs there. */
internal object OwnProcess {
    private const val MOST_SHOWN = 4000

    /** Ends with 0 if the test of the class that is named ran and passed. */
    @JvmStatic
    fun main(arguments: Array<String>) {
        val result = JUnitCore.runClasses(Class.forName(arguments.single()))
        result.failures.forEach { println(it.trace) }
        exitProcess(if (result.runCount == 1 && result.failureCount == 0 && result.ignoreCount == 0) 0 else 1)
    }

    /**
     * Starts [app], whose output goes to [said], a file of the test's own folder.
     *
     * @param options Of the JVM; properties of these tests besides the usual ones.
     * @param library The property with the native library that it is to load.
     */
    fun start(
        app: Class<*>,
        said: File,
        options: List<String>,
        library: String = TestLibrary.SHIPPED,
        environment: Map<String, String> = emptyMap(),
    ): Process {
        val passedOn = listOf("robolectric.offline", "robolectric.dependency.dir").map { "-D$it=${System.getProperty(it)}" } +
            "-D${TestLibrary.SHIPPED}=${System.getProperty(library)}" +
            // What a killed one leaves behind goes with the test's own files.
            "-Djava.io.tmpdir=${said.parent}"
        val command = listOf(File(System.getProperty("java.home"), "bin/java").path, "-cp", System.getProperty("java.class.path")) +
            passedOn + options + OwnProcess::class.java.name + app.name
        val process = ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said)
        process.environment().putAll(environment)
        return process.start()
    }

    /** Waits until [process] has ended well; returns what it said. */
    fun await(process: Process, said: File): String {
        val ended = process.waitFor(10, TimeUnit.MINUTES)
        if (!ended) process.destroyForcibly()
        assertTrue(ended, said.readText().takeLast(MOST_SHOWN))
        assertEquals(0, process.exitValue(), said.readText().takeLast(MOST_SHOWN))
        return said.readText()
    }
}
