package io.gatehand.sample

import android.content.Context
import android.graphics.Color
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestLibrary
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import org.junit.Before
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** What newer Androids ask of an app. */
@RunWith(RobolectricTestRunner::class)
class PlatformTest {
    @Before
    fun forgetKeys() {
        TestLibrary.use()
        StandInKeystore.reset()
    }

    private fun Context.flag(attribute: Int): Boolean {
        val values = theme.obtainStyledAttributes(intArrayOf(attribute))
        try {
            return values.getBoolean(0, false)
        } finally {
            values.recycle()
        }
    }

    @Test
    @Config(sdk = [35, 36])
    fun the_icons_of_the_bars_are_dark_where_the_white_window_goes_on_below_them() {
        val activity = Gate().open().activity
        assertTrue(activity.flag(android.R.attr.windowLightStatusBar))
        assertTrue(activity.flag(android.R.attr.windowLightNavigationBar))
    }

    @Test
    @Config(sdk = [27])
    @Suppress("DEPRECATION") // Android 15 has no such colour any more.
    fun and_light_on_the_black_bar_of_before() {
        val activity = Gate().open().activity
        assertFalse(activity.flag(android.R.attr.windowLightStatusBar))
        assertEquals(Color.BLACK, activity.window.statusBarColor)
    }
}
