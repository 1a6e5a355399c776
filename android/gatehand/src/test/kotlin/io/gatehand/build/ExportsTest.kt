package io.gatehand.build

import io.gatehand.internal.Native
import java.lang.reflect.Modifier
import kotlin.test.Test
import kotlin.test.assertEquals
import org.junit.Assume.assumeTrue

/** The native library exports just what the classes declare. */
class ExportsTest {
    private fun code(type: Class<*>): String = when (type) {
        java.lang.Long.TYPE -> "J"
        java.lang.Integer.TYPE -> "I"
        java.lang.Boolean.TYPE -> "Z"
        ByteArray::class.java -> "_3B"
        else -> "L${type.name.replace('.', '_')}_2"
    }

    @Test
    fun every_declared_function_is_exported_and_no_other() {
        val library = System.getProperty("gatehand.library")
        assumeTrue("run by android/test.sh", library != null)
        val listed = ProcessBuilder("nm", "-D", "--defined-only", library).start().inputStream.bufferedReader().readLines()
        val exported = listed.map { it.substringAfterLast(' ') }.filter { it.startsWith("Java_") }.toSet()
        val declared = Native::class.java.declaredMethods.filter { Modifier.isNative(it.modifiers) }
            .map { "Java_io_gatehand_internal_Native_${it.name}__" + it.parameterTypes.joinToString("", transform = ::code) }
        assertEquals(declared.toSet(), exported)
    }
}
