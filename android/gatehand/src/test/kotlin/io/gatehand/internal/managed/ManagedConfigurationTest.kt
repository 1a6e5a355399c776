package io.gatehand.internal.managed

import android.content.Context
import android.content.ContextWrapper
import android.content.RestrictionsManager
import android.os.Bundle
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.ManagedKeys
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
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

    @Test
    fun what_the_management_set_is_read_from_the_apps_restrictions() {
        val context = RuntimeEnvironment.getApplication()
        assertNull(ManagedConfiguration.read(context, ManagedKeys()))
        val manager = context.getSystemService(Context.RESTRICTIONS_SERVICE) as RestrictionsManager
        shadowOf(manager).setApplicationRestrictions(restrictions())
        val read = assertNotNull(ManagedConfiguration.read(context, ManagedKeys()))
        assertEquals("https://pretix.eu", read.server)
        assertEquals("kpp4jn8g2ynzonp6", read.token)
        assertFalse("kpp4jn8g2ynzonp6" in read.toString())
    }

    @Test
    fun an_app_may_call_the_keys_otherwise() {
        val own = ManagedKeys("pretix_url", "pretix_token", "pretix_servers")
        val restrictions = restrictions("https://wrong.example") {
            putString("pretix_url", "https://pretix.eu")
            putString("pretix_token", "own")
            putString("pretix_servers", "pretix.eu")
        }
        val read = assertNotNull(ManagedConfiguration.of(restrictions, own))
        assertEquals(listOf("https://pretix.eu", "own", "pretix.eu"), listOf(read.server, read.token, read.allowed.single()))
        // What has the usual names is another thing's, then.
        assertNull(ManagedConfiguration.of(restrictions(), own))
        assertFailsWith<IllegalArgumentException> { ManagedKeys("a", "a", "b") }
        assertFailsWith<IllegalArgumentException> { ManagedKeys(url = " ") }
    }

    @Test
    fun half_a_configuration_is_none() {
        assertNull(ManagedConfiguration.of(Bundle(), ManagedKeys()))
        assertNull(ManagedConfiguration.of(restrictions { remove("token") }, ManagedKeys()))
        assertNull(ManagedConfiguration.of(restrictions { putString("url", "  ") }, ManagedKeys()))
        assertNull(ManagedConfiguration.of(restrictions { putInt("token", 5) }, ManagedKeys()))
        assertNull(ManagedConfiguration.of(restrictions { putStringArray("url", arrayOf("https://pretix.eu")) }, ManagedKeys()))
    }

    @Test
    fun servers_may_be_a_list_or_a_text() {
        val list = restrictions(null) { putStringArray("allowed_servers", arrayOf(null, "a.example", " https://pretix.eu")) }
        for (restrictions in listOf(list, restrictions("a.example, https://pretix.eu,"), restrictions("a.example\nhttps://pretix.eu"))) {
            assertEquals(listOf("a.example", "https://pretix.eu"), assertNotNull(ManagedConfiguration.of(restrictions, ManagedKeys())).allowed)
        }
        assertEquals(emptyList(), assertNotNull(ManagedConfiguration.of(restrictions(null), ManagedKeys())).allowed)
    }

    @Test
    fun a_management_that_does_not_answer_is_an_error_that_passes() {
        val broken = object : ContextWrapper(RuntimeEnvironment.getApplication()) {
            override fun getSystemService(name: String): Any? = throw IllegalStateException("dead system")
        }
        val error = assertFailsWith<GatehandException> { ManagedConfiguration.read(broken, ManagedKeys()) }
        assertEquals(ErrorCode.ANDROID_FAILED, error.code)
        assertTrue(error.isTemporary)
    }
}
