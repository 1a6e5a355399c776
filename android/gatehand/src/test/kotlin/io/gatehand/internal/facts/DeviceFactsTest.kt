package io.gatehand.internal.facts

import android.os.Build
import kotlin.test.Test
import kotlin.test.assertEquals
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowBuild
import org.robolectric.util.ReflectionHelpers

@RunWith(RobolectricTestRunner::class)
class DeviceFactsTest {
    private fun android(brand: String, model: String, release: String) {
        ShadowBuild.setBrand(brand)
        ShadowBuild.setModel(model)
        ShadowBuild.setVersionRelease(release)
    }

    private fun baseOs(text: String) {
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "BASE_OS", text)
    }

    @Test
    fun a_scanner_is_named_as_its_build_names_it() {
        android("Zebra", " TC25 ", "8.1.0")
        val facts = DeviceFacts.read()
        assertEquals("Zebra", facts.getString("hardware_brand"))
        assertEquals("TC25", facts.getString("hardware_model"))
        assertEquals("Android", facts.getString("os_name"))
        assertEquals("8.1.0", facts.getString("os_version"))
        assertEquals(4, facts.length())
    }

    @Test
    @Config(sdk = [27, 35])
    fun the_base_os_is_named_where_the_vendor_tells_it() {
        baseOs("Zebra/TC25/TC25:8.1.0/01-12-05/1:user/release-keys")
        assertEquals("Zebra/TC25/TC25:8.1.0/01-12-05/1:user/release-keys", DeviceFacts.read().getString("os_name"))
    }

    @Test
    @Config(sdk = [27, 35])
    fun a_blank_base_os_is_android() {
        baseOs("  ")
        assertEquals("Android", DeviceFacts.read().getString("os_name"))
    }

    @Test
    fun long_and_empty_texts_are_made_to_fit_what_the_server_takes() {
        android("", "x".repeat(189) + "\uD83C\uDFAB", "1")
        val facts = DeviceFacts.read()
        assertEquals(Build.UNKNOWN, facts.getString("hardware_brand"))
        assertEquals("x".repeat(189), facts.getString("hardware_model"))
    }
}
