package io.gatehand.internal.managed

import android.content.Context
import android.content.RestrictionsManager
import android.os.Bundle
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

@RunWith(RobolectricTestRunner::class)
class ManagedConfigurationTest {
    private fun restrictions(allowed: String? = "https://pretix.eu", fill: Bundle.() -> Unit = {}): Bundle = Bundle().apply {
        putString("url", " https://pretix.eu ")
        putString("token", "kpp4jn8g2ynzonp6")
        allowed?.let { putString("allowed_servers", it) }
        fill()
    }

    private fun allows(allowed: String?, origin: String = "https://pretix.eu"): Boolean =
        assertNotNull(ManagedConfiguration.of(restrictions(allowed))).allows(origin)

    @Test
    fun what_the_management_set_is_read_from_the_apps_restrictions() {
        val context = RuntimeEnvironment.getApplication()
        assertNull(ManagedConfiguration.read(context))
        val manager = context.getSystemService(Context.RESTRICTIONS_SERVICE) as RestrictionsManager
        shadowOf(manager).setApplicationRestrictions(restrictions())
        val read = assertNotNull(ManagedConfiguration.read(context))
        assertEquals("https://pretix.eu", read.server)
        assertEquals("kpp4jn8g2ynzonp6", read.token)
        assertFalse("kpp4jn8g2ynzonp6" in read.toString())
    }

    @Test
    fun half_a_configuration_is_none() {
        assertNull(ManagedConfiguration.of(Bundle()))
        assertNull(ManagedConfiguration.of(restrictions { remove("token") }))
        assertNull(ManagedConfiguration.of(restrictions { putString("url", "  ") }))
        assertNull(ManagedConfiguration.of(restrictions { putInt("token", 5) }))
        assertNull(ManagedConfiguration.of(restrictions { putStringArray("url", arrayOf("https://pretix.eu")) }))
    }

    @Test
    fun only_servers_that_are_named_are_allowed() {
        assertTrue(allows("https://pretix.eu"))
        assertTrue(allows("pretix.eu"))
        assertTrue(allows("tickets.example, PRETIX.EU/"))
        assertTrue(allows("https://pretix.eu:443"))
        assertTrue(allows("http://10.0.0.5:8345", "http://10.0.0.5:8345"))
        for (none in listOf(null, "", " , ", "eu", "*", "https://", "http://pretix.eu", "pretix.eu:8443", "pretix.eu.evil.example", "evil.example/pretix.eu")) {
            assertFalse(allows(none), "$none")
        }
    }

    @Test
    fun servers_may_be_a_list() {
        val read = assertNotNull(
            ManagedConfiguration.of(restrictions(null) { putStringArray("allowed_servers", arrayOf(null, "a.example", "pretix.eu")) }),
        )
        assertTrue(read.allows("https://pretix.eu"))
        assertTrue(read.allows("https://a.example"))
        assertFalse(read.allows("https://b.example"))
    }
}
