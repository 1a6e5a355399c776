package io.gatehand.internal

import io.gatehand.ConnectionException
import io.gatehand.DeviceStateException
import io.gatehand.EnrolmentCodeException
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.NativeLibraryException
import io.gatehand.RefusedException
import io.gatehand.VaultException
import java.util.concurrent.CancellationException
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [27])
class FailuresTest {
    private fun exception(json: String): Throwable = Failures.exception(json.encodeToByteArray())

    @Test
    fun an_error_keeps_its_code_its_words_and_its_causes() {
        val error = exception("""{"code":"unreachable","message":"no answer: try again","causes":["can't connect","no route 🎫"]}""")
        assertIs<ConnectionException>(error)
        assertEquals(ErrorCode.UNREACHABLE, error.code)
        assertEquals("no answer: try again", error.message)
        val causes = generateSequence(error.cause) { it.cause }.map { it.message }.toList()
        assertEquals(listOf<String?>("can't connect", "no route 🎫"), causes)
    }

    @Test
    fun a_refusal_keeps_the_servers_status() {
        val error = assertIs<RefusedException>(exception("""{"code":"refused","message":"m","causes":[],"status":403}"""))
        assertEquals(403, error.status)
        assertNull(error.cause)
    }

    @Test
    fun what_is_closed_or_cancelled_has_the_class_that_callers_know() {
        assertIs<IllegalStateException>(exception("""{"code":"closed","message":"the agent is closed"}"""))
        assertIs<CancellationException>(exception("""{"code":"cancelled","message":"cancelled"}"""))
    }

    @Test
    fun every_code_has_an_id_of_its_own_and_comes_back_in_an_exception() {
        assertEquals(ErrorCode.entries.size, ErrorCode.entries.map { it.id }.toSet().size)
        for (code in ErrorCode.entries) {
            val error = exception("""{"code":"${code.id}","message":"m"}""")
            assertEquals(code, assertIs<GatehandException>(error).code)
            assertTrue(Regex("[a-z_]+").matches(code.id))
        }
        assertIs<EnrolmentCodeException>(exception("""{"code":"enrolment_invalid","message":"m"}"""))
        assertIs<DeviceStateException>(exception("""{"code":"not_enrolled","message":"m"}"""))
        assertIs<VaultException>(exception("""{"code":"vault_damaged","message":"m"}"""))
        assertIs<NativeLibraryException>(exception("""{"code":"library_unusable","message":"m"}"""))
    }

    @Test
    fun an_error_that_cannot_be_read_is_still_an_exception() {
        for (text in listOf("", "{", "null", "{}", """{"code":"refused"}""", """{"code":"no_such_code","message":"m"}""")) {
            assertEquals(ErrorCode.INTERNAL, assertIs<GatehandException>(exception(text)).code, text)
        }
    }
}
