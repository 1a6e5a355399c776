package io.gatehand.build

import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.internal.Failures
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** Kotlin's codes, those of the native library and those of the documentation are the same. */
class ErrorCodesTest {
    /** The agent's kinds of errors, by their names in Rust, with their words in JSON. */
    private val kinds: Map<String, String> =
        WORD.findAll(Project.text("src/agent/error/kind.rs")).associate { it.groupValues[1] to it.groupValues[2] }

    /** What the native library says for a kind. */
    private val mapped: Map<String, String> =
        ARM.findAll(Project.text("src/jni/error_code.rs").substringBefore("#[cfg(test)]")).flatMap { arm ->
            KIND.findAll(arm.groupValues[1]).map { it.groupValues[1] to arm.groupValues[2] }
        }.toMap()

    /** What the native library says, apart from what Kotlin turns into exceptions of the platform. */
    private val native: Set<String> = File(Project.root, "src/jni").walk().filter { it.extension == "rs" }
        .flatMap { file -> MADE.findAll(file.readText()).map { it.groupValues[1] } }.toSet() + mapped.values

    /** What Kotlin says by itself; one code has a class of its own. */
    private val kotlin: Set<String> = setOf(ErrorCode.LIBRARY_UNUSABLE.id) + File(Project.root, "android/gatehand/src/main/kotlin").walk()
        .filter { it.extension == "kt" && it.name !in NO_SOURCES }
        .flatMap { file -> THROWN.findAll(file.readText()).map { ErrorCode.valueOf(it.groupValues[1]).id } }

    @Test
    fun every_code_of_the_native_library_is_one_of_kotlins() {
        assertTrue(native.size > PLATFORM.size, "$native")
        assertEquals(emptySet(), native - PLATFORM - ErrorCode.entries.map { it.id }.toSet())
    }

    @Test
    fun a_kind_of_error_that_kotlin_has_a_code_for_has_that_code() {
        assertEquals(kinds.keys, mapped.keys)
        val ids = ErrorCode.entries.map { it.id }.toSet()
        val named = kinds.mapValues { (_, word) -> word.replace('-', '_') }.filterValues { it in ids }
        assertTrue(named.isNotEmpty(), "$kinds")
        assertEquals(named, mapped.filterKeys { it in named })
    }

    @Test
    fun every_code_of_kotlins_can_come() {
        assertEquals(emptySet(), ErrorCode.entries.map { it.id }.toSet() - native - kotlin)
    }

    @Test
    fun the_documentation_has_each_code_with_its_class_and_whether_it_is_temporary() {
        val documented = ROW.findAll(Project.text("docs/ANDROID.md")).map { row -> row.groupValues.drop(1) }.toList()
        val real = ErrorCode.entries.map { code ->
            val error = Failures.exception("""{"code": "${code.id}", "message": "m", "status": 403}""".encodeToByteArray()) as GatehandException
            listOf(code.name, error.javaClass.simpleName, if (error.isTemporary) "yes" else "no")
        }
        assertEquals(real.sortedBy { it[0] }.joinToString("\n"), documented.sortedBy { it[0] }.joinToString("\n"))
    }

    private companion object {
        val PLATFORM = setOf("closed", "cancelled", "own_thread")
        val NO_SOURCES = setOf("ErrorCode.kt", "Failures.kt", "GatehandException.kt")
        val MADE = Regex("""(?:Failure::of|Failure::new|\.coded)\(\s*"([a-z_]+)"""")
        val WORD = Regex("""Self::(\w+) => "([a-z-]+)",""")
        val ARM = Regex("""((?:ErrorKind::\w+\s*\|?\s*)+)=>\s*\{?\s*"([a-z_]+)"""")
        val KIND = Regex("""ErrorKind::(\w+)""")
        val THROWN = Regex("""ErrorCode\.([A-Z_]+)""")
        val ROW = Regex("""\| `([A-Z_]+)` \| `(\w+)` \|.*\| (yes|no)\b[^|]*\|""")
    }
}
