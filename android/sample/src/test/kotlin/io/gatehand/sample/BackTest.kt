package io.gatehand.sample

import android.window.OnBackInvokedCallback
import kotlin.test.Test
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import org.robolectric.annotation.Config

/** Where going back leads, as Android 13 and later ask beforehand, to show it while the finger still moves. */
@Config(sdk = [35, 36])
class BackTest : ServerTest() {
    /** Whether the app goes back by itself; else Android shows what is behind the app, and leaves it. */
    private fun appGoesBack(): Boolean = Backs.first(gate.activity).let { it != null && !it.isOfAndroid() }

    private fun OnBackInvokedCallback.isOfAndroid(): Boolean = javaClass.name.startsWith("android.")

    @Test
    fun from_the_first_page_it_leaves_the_app_and_from_the_menu_s_it_returns() {
        enrolledGate()
        assertFalse(appGoesBack())
        gate.press(R.string.maintain)
        assertTrue(appGoesBack())
        gate.back()
        gate.sees(R.string.enrolled_title)
        assertFalse(gate.activity.isFinishing)
        assertFalse(appGoesBack())
        gate.back()
        assertTrue(gate.activity.isFinishing)
    }

    @Test
    fun it_is_the_same_after_the_device_was_turned() {
        enrolledGate()
        gate.press(R.string.maintain)
        gate.rotate()
        assertTrue(appGoesBack())
        gate.back()
        gate.sees(R.string.enrolled_title)
        assertFalse(appGoesBack())
        gate.rotate()
        assertFalse(appGoesBack())
        assertFalse(gate.activity.isFinishing)
    }
}
