package io.gatehand.sample

import android.app.Application
import android.content.Intent
import android.os.Bundle
import android.os.Looper
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

@RunWith(RobolectricTestRunner::class)
class DataWedgeTest {
    private val app: Application = RuntimeEnvironment.getApplication()
    private val scans = ArrayList<String>()
    private val dataWedge = DataWedge(app) { scans.add(it) }

    private fun sent(): List<Intent> = shadowOf(app).broadcastIntents.filter { it.action == DataWedge.API }

    @Suppress("DEPRECATION") // What replaces it needs Android 13.
    private fun Bundle.apps(): List<Bundle> = getParcelableArray("APP_LIST").orEmpty().map { it as Bundle }

    private fun profiles(): List<Bundle> = sent().map { assertNotNull(it.getBundleExtra(DataWedge.SET_CONFIG)) }

    private fun plugin(name: String): Bundle =
        profiles().map { assertNotNull(it.getBundle("PLUGIN_CONFIG")) }.single { it.getString("PLUGIN_NAME") == name }

    private fun scan(text: String?) {
        val intent = Intent(plugin("INTENT").getBundle("PARAM_LIST")?.getString("intent_action"))
            .addCategory(plugin("INTENT").getBundle("PARAM_LIST")?.getString("intent_category"))
        app.sendBroadcast(intent.putExtra("com.symbol.datawedge.data_string", text))
        shadowOf(Looper.getMainLooper()).idle()
    }

    @Test
    fun the_profile_is_for_this_app_alone_and_sent_to_datawedge_alone() {
        dataWedge.setUp()
        assertTrue(sent().isNotEmpty() && sent().all { it.`package` == DataWedge.SERVICE })
        assertEquals(setOf<String?>(app.packageName), profiles().map { it.getString("PROFILE_NAME") }.toSet())
        assertEquals("CREATE_IF_NOT_EXIST", profiles().first().getString("CONFIG_MODE"))
        val association = profiles().first().apps().single()
        assertEquals(app.packageName, association.getString("PACKAGE_NAME"))
        assertContentEquals(arrayOf("*"), association.getStringArray("ACTIVITY_LIST"))
    }

    @Test
    fun codes_come_as_a_broadcast_and_not_as_keys_too() {
        dataWedge.setUp()
        assertEquals("2", plugin("INTENT").getBundle("PARAM_LIST")?.getString("intent_delivery"))
        assertEquals("false", plugin("KEYSTROKE").getBundle("PARAM_LIST")?.getString("keystroke_output_enabled"))
        assertEquals("true", plugin("BARCODE").getBundle("PARAM_LIST")?.getString("decoder_qrcode"))
    }

    @Test
    fun what_the_profile_sends_is_what_the_app_hears_while_it_listens() {
        dataWedge.setUp()
        scan("too early")
        dataWedge.start()
        dataWedge.start()
        scan("{\"handshake_version\": 1}")
        scan("")
        scan(null)
        dataWedge.stop()
        dataWedge.stop()
        scan("too late")
        assertEquals(listOf("{\"handshake_version\": 1}"), scans)
    }
}
