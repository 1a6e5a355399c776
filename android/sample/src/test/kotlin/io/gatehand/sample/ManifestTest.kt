package io.gatehand.sample

import android.Manifest.permission.ACCESS_NETWORK_STATE
import android.Manifest.permission.ACCESS_WIFI_STATE
import android.Manifest.permission.BIND_JOB_SERVICE
import android.Manifest.permission.INTERNET
import android.Manifest.permission.RECEIVE_BOOT_COMPLETED
import android.app.Application
import android.content.ComponentName
import android.content.Context
import android.content.Intent
import android.content.RestrictionsManager
import android.content.pm.ActivityInfo
import android.content.pm.PackageManager
import android.net.Uri
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertTrue
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/** The manifest as aapt2 compiled it. */
@RunWith(RobolectricTestRunner::class)
class ManifestTest {
    private val app: Application = RuntimeEnvironment.getApplication()
    private val packages: PackageManager = app.packageManager

    @Suppress("DEPRECATION") // What replaces it needs Android 13.
    private fun handlers(link: String): List<String> {
        val intent = Intent(Intent.ACTION_VIEW, Uri.parse(link)).addCategory(Intent.CATEGORY_BROWSABLE)
        return packages.queryIntentActivities(intent, PackageManager.MATCH_DEFAULT_ONLY).map { it.activityInfo.name }
    }

    @Test
    fun links_that_set_a_device_up_and_no_others_open_the_app() {
        val links = listOf(
            "pretixscan://setup?url=https%3A%2F%2Fpretix.eu&token=kpp4jn8g2ynzonp6",
            "pretixscan://setup",
        )
        for (link in links) assertEquals(listOf(GateActivity::class.java.name), handlers(link), link)
        for (link in listOf("pretixscan://other?url=x", "https://pretix.eu/", "pretixdroid://setup")) {
            assertEquals(emptyList(), handlers(link), link)
        }
    }

    @Test
    fun the_app_starts_from_its_icon_and_a_link_comes_to_the_activity_that_is_there() {
        val launch = checkNotNull(packages.getLaunchIntentForPackage(app.packageName))
        val activity = checkNotNull(launch.resolveActivityInfo(packages, 0))
        assertEquals(GateActivity::class.java.name, activity.name)
        assertEquals(ActivityInfo.LAUNCH_SINGLE_TOP, activity.launchMode)
        assertTrue(activity.exported)
        assertIs<SampleApp>(app)
    }

    @Suppress("DEPRECATION")
    @Test
    fun it_asks_for_no_permission_but_the_library_s_and_the_job_s() {
        val info = packages.getPackageInfo(app.packageName, PackageManager.GET_PERMISSIONS)
        val library = setOf(INTERNET, ACCESS_WIFI_STATE)
        val job = setOf(ACCESS_NETWORK_STATE, RECEIVE_BOOT_COMPLETED)
        assertEquals(library + job, info.requestedPermissions.orEmpty().toSet())
    }

    @Suppress("DEPRECATION")
    @Test
    fun android_alone_can_start_the_job() {
        val job = packages.getServiceInfo(ComponentName(app, HeartbeatJob::class.java), 0)
        assertEquals(BIND_JOB_SERVICE, job.permission)
    }

    @Test
    fun device_management_is_told_what_can_be_set() {
        val manager = app.getSystemService(Context.RESTRICTIONS_SERVICE) as RestrictionsManager
        val entries = manager.getManifestRestrictions(app.packageName).associate { it.key to it.title }
        assertEquals(setOf("url", "token", "allowed_servers"), entries.keys)
        assertTrue(entries.values.none { it.isNullOrBlank() }, "$entries")
    }

    @Test
    fun both_builds_say_the_same_of_the_app() {
        val sample = File(checkNotNull(System.getProperty("gatehand.project")) { "run by Maven" }, "android/sample")
        val gradle = File(sample, "build.gradle.kts").readText()
        val maven = File(sample, "pom.xml").readText()
        assertEquals(first(gradle, "minSdk = ([0-9]+)"), first(maven, "<minSdk>([0-9]+)<"))
        assertEquals(first(gradle, "targetSdk = ([0-9]+)"), app.applicationInfo.targetSdkVersion.toString())
        assertEquals(first(gradle, "versionName = \"([^\"]+)\""), packages.getPackageInfo(app.packageName, 0).versionName)
        assertEquals(first(gradle, "applicationId = \"([^\"]+)\""), app.packageName)
    }

    private fun first(text: String, pattern: String): String =
        checkNotNull(Regex(pattern).find(text)) { "$pattern is not there" }.groupValues[1]
}
