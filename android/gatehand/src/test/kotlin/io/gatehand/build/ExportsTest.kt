package io.gatehand.build

import io.gatehand.internal.Native
import io.gatehand.testing.Alive
import io.gatehand.testing.TestLibrary
import java.lang.reflect.Modifier
import kotlin.test.Test
import kotlin.test.assertEquals
import org.junit.Assume.assumeTrue

/** The native libraries export just what the classes declare. */
class ExportsTest {
    private fun code(type: Class<*>): String = when (type) {
        java.lang.Long.TYPE -> "J"
        java.lang.Integer.TYPE -> "I"
        java.lang.Boolean.TYPE -> "Z"
        ByteArray::class.java -> "_3B"
        else -> "L${type.name.replace('.', '_')}_2"
    }

    private fun declared(type: Class<*>): Set<String> = type.declaredMethods.filter { Modifier.isNative(it.modifiers) }
        .map { "Java_${type.name.replace('.', '_')}_${it.name}__" + it.parameterTypes.joinToString("", transform = ::code) }.toSet()

    private fun exported(property: String): Set<String> {
        val library = System.getProperty(property)
        assumeTrue("run by android/test.sh", library != null)
        val listed = ProcessBuilder("nm", "-D", "--defined-only", library).start().inputStream.bufferedReader().readLines()
        return listed.map { it.substringAfterLast(' ') }.filter { it.startsWith("Java_") }.toSet()
    }

    @Test
    fun every_declared_function_is_exported_and_no_other() {
        assertEquals(declared(Native::class.java), exported(TestLibrary.SHIPPED))
    }

    @Test
    fun the_testing_library_has_the_same_and_what_tests_ask() {
        assertEquals(declared(Native::class.java) + declared(Alive::class.java), exported(TestLibrary.TESTING))
    }
}
