package io.gatehand.internal

import io.gatehand.ErrorCode
import io.gatehand.NativeLibraryException
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertSame
import kotlin.test.assertTrue
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [27])
class NativeLibraryTest {
    private fun failure(load: () -> Unit, version: () -> String) =
        assertFailsWith<NativeLibraryException> { NativeLibrary.check(load, version) }
            .also { assertEquals(ErrorCode.LIBRARY_UNUSABLE, it.code) }

    @Test
    fun a_library_that_is_missing_or_for_another_processor_is_said_so() {
        val cause = UnsatisfiedLinkError("dlopen failed: \"libgatehand.so\" has unexpected e_machine: 62")
        val error = failure({ throw cause }, { NativeLibrary.VERSION })
        assertSame(cause, error.cause)
        assertTrue("processor" in error.message, error.message)
    }

    @Test
    fun classes_that_r8_renamed_are_said_so() {
        val error = failure({}, { throw UnsatisfiedLinkError("No implementation found for java.lang.String a.b.c()") })
        assertTrue("META-INF/proguard/gatehand.pro" in error.message, error.message)
    }

    @Test
    fun a_library_of_another_release_is_refused() {
        val error = failure({}, { "9.9.9" })
        assertTrue("9.9.9" in error.message && NativeLibrary.VERSION in error.message, error.message)
    }

    @Test
    fun the_right_library_passes() {
        NativeLibrary.check({}, { NativeLibrary.VERSION })
    }
}
