package io.gatehand.sample

import android.annotation.TargetApi
import android.app.Activity
import android.app.Application
import android.os.Build
import android.window.OnBackInvokedCallback
import org.robolectric.shadows.ShadowApplication
import org.xmlpull.v1.XmlPullParser

/** Who Android 13 and later tell that a person goes back. Apart, as older ones have no such classes. */
@TargetApi(Build.VERSION_CODES.TIRAMISU)
object Backs {
    private const val ANDROID = "http://schemas.android.com/apk/res/android"

    /**
     * Has windows that open from now on do as the manifest says. Android does by itself, but Robolectric reads manifests
     * with Android's parser of before, which does not know what is said of going back.
     */
    fun asTheManifestSays(app: Application): Unit = ShadowApplication.setEnableOnBackInvokedCallback(saidBy(app))

    private fun saidBy(app: Application): Boolean =
        app.createPackageContext(app.packageName, 0).assets.openXmlResourceParser("AndroidManifest.xml").use { manifest ->
            while (manifest.next() != XmlPullParser.END_DOCUMENT) {
                if (manifest.eventType != XmlPullParser.START_TAG) continue
                if (manifest.name == "manifest") check(manifest.getAttributeValue(null, "package") == app.packageName) { "of another app" }
                if (manifest.name == "application") return manifest.getAttributeBooleanValue(ANDROID, "enableOnBackInvokedCallback", false)
            }
            error("the manifest has no application")
        }

    /** The one that Android would tell. */
    fun first(activity: Activity): OnBackInvokedCallback {
        // The window's own, which the activity's hands all over to; null for a window that is not shown.
        val dispatcher = checkNotNull(activity.window.decorView.findOnBackInvokedDispatcher()) { "the window is not shown" }
        // Not public; Android itself asks it.
        return dispatcher.javaClass.getMethod("getTopCallback").invoke(dispatcher) as OnBackInvokedCallback
    }

    /** Whether it is the activity's own, which leaves the app, and not one that the app has registered. */
    fun isAndroids(callback: OnBackInvokedCallback): Boolean = callback.javaClass.name.startsWith(Activity::class.java.name)
}
