package io.gatehand.sample

import io.gatehand.Agent
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.NativeLibraryException
import io.gatehand.VaultException
import java.util.concurrent.CountDownLatch
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** An app whose agent can't be opened. */
class BrokenApp : SampleApp() {
    @Volatile
    var opened = 0

    var failure: GatehandException = NativeLibraryException("libgatehand.so can't be loaded")

    /** What the next opening waits for. */
    @Volatile
    var leave = CountDownLatch(0)

    override fun openAgent(): Agent {
        opened++
        leave.await()
        throw failure
    }
}

@RunWith(RobolectricTestRunner::class)
@Config(application = BrokenApp::class)
class UnusableTest {
    private val gate = Gate()
    private val app = gate.app as BrokenApp

    @Test
    fun an_app_without_its_native_library_says_so_and_offers_nothing_that_can_t_help() {
        gate.open()
        gate.sees(R.string.unusable_title)
        gate.sees(R.string.error_library)
        assertTrue(gate.views().none { it is android.widget.Button })
        gate.rotate()
        gate.sees(R.string.error_library)
        assertEquals(1, app.opened)
    }

    @Test
    fun a_vault_that_can_t_be_opened_can_be_tried_again() {
        app.failure = VaultException(ErrorCode.VAULT_UNWRITABLE, "the disk is full")
        gate.open()
        gate.sees(R.string.error_vault_unwritable)
        gate.press(R.string.try_again)
        gate.await("a second try") { app.opened == 2 }
        gate.sees(R.string.error_vault_unwritable)
    }

    @Test
    fun a_button_that_is_pressed_twice_opens_once() {
        app.failure = VaultException(ErrorCode.VAULT_UNWRITABLE, "the disk is full")
        gate.open()
        gate.sees(R.string.error_vault_unwritable)
        app.leave = CountDownLatch(1)
        repeat(2) { app.model.act(Action.OpenAgain) }
        gate.sees(R.string.opening_title)
        app.leave.countDown()
        gate.sees(R.string.error_vault_unwritable)
        // Whoever comes now waits for the second press, had that opened too.
        assertFailsWith<VaultException> { runBlocking { app.agent.get() } }
        assertEquals(3, app.opened)
    }
}
