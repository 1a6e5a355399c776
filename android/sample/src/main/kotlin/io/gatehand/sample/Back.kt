package io.gatehand.sample

import android.annotation.TargetApi
import android.app.Activity
import android.os.Build
import android.window.OnBackInvokedCallback
import android.window.OnBackInvokedDispatcher

/** Goes back within the app, from Android 13 on; older ones have no such classes. */
@TargetApi(Build.VERSION_CODES.TIRAMISU)
class Back(goBack: () -> Unit) {
    private val callback = OnBackInvokedCallback(goBack)
    private var handles = false

    /** Whether [activity] goes back by itself from now on, instead of being left. */
    fun handle(activity: Activity, handles: Boolean) {
        if (handles == this.handles) return
        this.handles = handles
        if (handles) {
            activity.onBackInvokedDispatcher.registerOnBackInvokedCallback(OnBackInvokedDispatcher.PRIORITY_DEFAULT, callback)
        } else {
            activity.onBackInvokedDispatcher.unregisterOnBackInvokedCallback(callback)
        }
    }
}
