package io.gatehand.internal.facts

import android.app.ActivityManager
import android.app.Application
import android.content.Context
import android.content.Intent
import android.net.wifi.WifiManager
import android.os.BatteryManager
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import org.json.JSONObject
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowStatFs

@RunWith(RobolectricTestRunner::class)
class DiagnosticsTest {
    private val context: Application = RuntimeEnvironment.getApplication()
    private val diagnostics = Diagnostics(context, File(context.filesDir, "not/made/yet"))

    @Suppress("DEPRECATION") // The only way to set what a sticky broadcast says.
    private fun battery(vararg values: Pair<String, Int>): JSONObject {
        val intent = Intent(Intent.ACTION_BATTERY_CHANGED).putExtra(BatteryManager.EXTRA_TECHNOLOGY, "Li-ion")
        values.forEach { (name, value) -> intent.putExtra(name, value) }
        context.sendStickyBroadcast(intent)
        return diagnostics.read()
    }

    @Test
    fun the_battery_tells_how_full_and_how_well_it_is() {
        val read = battery(
            BatteryManager.EXTRA_LEVEL to 87,
            BatteryManager.EXTRA_SCALE to 100,
            BatteryManager.EXTRA_STATUS to BatteryManager.BATTERY_STATUS_DISCHARGING,
            BatteryManager.EXTRA_HEALTH to BatteryManager.BATTERY_HEALTH_GOOD,
            BatteryManager.EXTRA_TEMPERATURE to 291,
            BatteryManager.EXTRA_PLUGGED to 0,
        )
        val expected = """{"percent":87,"status":"discharging","health":"Good","temperature_celsius":29.1,"technology":"Li-ion"}"""
        assertEquals(expected, read.getJSONObject("battery").toString())
        assertFalse(read.getBoolean("mains_online"))
    }

    @Test
    fun nonsense_of_a_battery_is_left_out() {
        val read = battery(
            BatteryManager.EXTRA_LEVEL to 50,
            BatteryManager.EXTRA_SCALE to 0,
            BatteryManager.EXTRA_STATUS to 99,
            BatteryManager.EXTRA_TEMPERATURE to -2740,
            BatteryManager.EXTRA_PLUGGED to BatteryManager.BATTERY_PLUGGED_USB,
        )
        assertEquals("""{"technology":"Li-ion"}""", read.getJSONObject("battery").toString())
        assertTrue(read.getBoolean("mains_online"))
    }

    @Test
    fun storage_is_that_of_the_vault_though_its_folder_is_not_there_yet() {
        ShadowStatFs.registerStats(context.filesDir, 1000, 500, 250)
        val disk = diagnostics.read().getJSONObject("disk")
        assertEquals(1000L * ShadowStatFs.BLOCK_SIZE, disk.getLong("total_bytes"))
        assertEquals(250L * ShadowStatFs.BLOCK_SIZE, disk.getLong("available_bytes"))
    }

    @Test
    fun memory_is_what_the_system_has() {
        val memory = ActivityManager.MemoryInfo().apply {
            totalMem = 2000
            availMem = 1500
        }
        shadowOf(context.getSystemService(Context.ACTIVITY_SERVICE) as ActivityManager).setMemoryInfo(memory)
        assertEquals("""{"total_bytes":2000,"available_bytes":1500}""", diagnostics.read().getJSONObject("memory").toString())
    }

    @Test
    @Suppress("DEPRECATION")
    fun wifi_tells_its_signal_and_neither_name_nor_address() {
        val wifi = context.getSystemService(Context.WIFI_SERVICE) as WifiManager
        wifi.isWifiEnabled = true
        shadowOf(wifi.connectionInfo).apply {
            setRssi(-61)
            setLinkSpeed(72)
            setFrequency(5180)
            setNetworkId(7)
            setSSID("backstage")
        }
        val read = diagnostics.read().getJSONObject("wifi")
        assertEquals("""{"enabled":true,"signal_dbm":-61,"link_mbps":72,"frequency_mhz":5180}""", read.toString())
    }

    @Test
    fun uptimes_are_there_and_the_app_never_runs_longer_than_the_device() {
        val read = diagnostics.read()
        assertTrue(read.getLong("uptime_seconds") >= read.getLong("app_uptime_seconds"))
    }

    @Test
    fun a_service_that_throws_costs_its_numbers_only() {
        val broken = object : android.content.ContextWrapper(context) {
            override fun getApplicationContext(): Context = this

            override fun getSystemService(name: String): Any = throw SecurityException(name)
        }
        val read = Diagnostics(broken, context.filesDir).read()
        assertTrue(read.has("uptime_seconds") && read.has("disk"))
        assertFalse(read.has("wifi") || read.has("memory"))
    }
}
