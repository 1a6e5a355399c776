package io.gatehand.sample

import android.annotation.TargetApi
import android.app.Activity
import android.os.Build
import android.window.OnBackInvokedCallback

/** Who Android 13 and later tell that a person goes back. Apart, as older ones have no such classes. */
@TargetApi(Build.VERSION_CODES.TIRAMISU)
object Backs {
    /** Has windows that open from now on do as the manifest says; Robolectric's do not, unless told. */
    fun tellBeforehand() {
        val shadow = Class.forName("org.robolectric.shadows.ShadowWindowOnBackInvokedDispatcher")
        shadow.getDeclaredMethod("setEnablePredictiveBack", Boolean::class.java).apply { isAccessible = true }.invoke(null, true)
    }

    /** The one that Android would tell. */
    fun first(activity: Activity): OnBackInvokedCallback? {
        // The window's own, which the activity's hands all over to; null for a window that is not shown.
        val dispatcher = checkNotNull(activity.window.decorView.findOnBackInvokedDispatcher()) { "the window is not shown" }
        // Not public; Android itself asks it.
        return dispatcher.javaClass.getMethod("getTopCallback").invoke(dispatcher) as OnBackInvokedCallback?
    }
}
