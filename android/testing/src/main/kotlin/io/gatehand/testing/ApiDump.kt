package io.gatehand.testing

import java.io.File
import org.jetbrains.kotlin.abi.tools.AbiFilters
import org.jetbrains.kotlin.abi.tools.AbiTools

/**
 * What apps can compile against, as Kotlin's own tool for that tells it, beside what a file of the project says
 * it is: a change of the API is seen in the file's diff, and none comes unseen.
 */
object ApiDump {
    private const val RENEW = "mvn -f android/pom.xml verify -pl fake,datawedge,okhttp -am -Dtest=ApiTest -Dsurefire.failIfNoSpecifiedTests=false -Dgatehand.api=renew"

    /** Compares the API of the compiled [classes] with [file], or writes it there. */
    fun check(classes: File, file: File) {
        val dump = of(classes)
        // With each new field, what such a function returns and takes is another one.
        check("component1" !in dump) { "a data class is part of the API: apps would break with its next field" }
        if (System.getProperty("gatehand.api") == "renew") file.writeText(dump)
        val said = if (file.exists()) file.readText() else ""
        if (said == dump) return
        val (gone, new) = lines(said) - lines(dump) to lines(dump) - lines(said)
        throw AssertionError(
            "the API is another one than $file says. If that is meant: $RENEW\n" +
                gone.joinToString("") { "- $it\n" } + new.joinToString("") { "+ $it\n" },
        )
    }

    private fun of(classes: File): String {
        val files = classes.walk().filter { it.extension == "class" }.sortedBy { it.path }.toList()
        check(files.isNotEmpty()) { "$classes holds no classes" }
        return buildString { AbiTools.getInstance(ApiDump::class.java.classLoader).printJvmDump(this, files, AbiFilters.EMPTY) }
    }

    /** Each line with the class it stands in. */
    private fun lines(dump: String): Set<String> {
        var type = ""
        return dump.lines().filter { it.isNotBlank() && it != "}" }.mapTo(LinkedHashSet()) { line ->
            if (line.startsWith("\t")) "$type: ${line.trim()}" else line.also { type = it.substringBefore(" :").substringBefore(" {").substringAfterLast(' ') }
        }
    }
}
