package io.gatehand.life

import android.app.Application
import android.content.Intent
import android.database.sqlite.SQLiteDatabase
import android.os.BatteryManager
import io.gatehand.ApiRequest
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestDevice
import io.gatehand.testing.TestServer
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNull
import kotlinx.coroutines.runBlocking
import org.json.JSONObject
import org.junit.Before
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowBuild

/** What the server hears of the device, and when. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35]) // Robolectric opens files of SQLite on the newer frameworks only.
class ReportTest {
    @get:Rule
    val server = TestServer()

    private val context: Application = RuntimeEnvironment.getApplication()
    private val call = ApiRequest.get("/api/v1/device/info")
    private lateinit var device: TestDevice

    @Before
    fun enrol(): Unit = runBlocking {
        StandInKeystore.reset()
        ShadowBuild.setBrand("Zebra")
        ShadowBuild.setModel("TC25")
        battery(90)
        device = server.createDevice()
        Devices.open().use { it.enrol(device) }
        assertEquals(90, known())
    }

    @Suppress("DEPRECATION") // The only way to set what a sticky broadcast says.
    private fun battery(percent: Int) = context.sendStickyBroadcast(
        Intent(Intent.ACTION_BATTERY_CHANGED).putExtra(BatteryManager.EXTRA_LEVEL, percent).putExtra(BatteryManager.EXTRA_SCALE, 100),
    )

    /** Works with the vault's record of the device, which has what the server has acknowledged. */
    private fun <T> identity(work: (SQLiteDatabase, JSONObject) -> T): T {
        val vault = File(context.noBackupFilesDir, "gatehand/default/vault.db").path
        return SQLiteDatabase.openDatabase(vault, null, SQLiteDatabase.OPEN_READWRITE).use { database ->
            val plain = database.rawQuery("SELECT plain FROM entry WHERE name = 'identity'", null).use {
                it.moveToFirst()
                it.getString(0)
            }
            work(database, JSONObject(plain))
        }
    }

    private fun info(): JSONObject? = identity { _, identity -> identity.getJSONObject("reported").optJSONObject("info") }

    /** How full the server knows the battery to be. */
    private fun known(): Int? = info()?.getJSONObject("battery")?.getInt("percent")

    /** As if the last report had been made ten years ago. */
    private fun growOld() = identity { database, identity ->
        val earlier = identity.getString("reported_at").replaceFirst("202", "201")
        database.execSQL("UPDATE entry SET plain = ? WHERE name = 'identity'", arrayOf(identity.put("reported_at", earlier).toString()))
    }

    @Test
    fun a_call_after_a_restart_tells_of_the_same_device(): Unit = runBlocking {
        battery(50)
        Devices.open().use { assertEquals(200, it.request(call).status) }
        val known = server.device(device.id)
        assertEquals(listOf("Zebra", "TC25"), listOf(known.getString("hardware_brand"), known.getString("hardware_model")))
        assertEquals(90, known(), "nothing was due")
    }

    @Test
    fun what_is_an_hour_old_is_reported_after_a_call_as_it_is_then(): Unit = runBlocking {
        growOld()
        Devices.open().use { agent ->
            battery(50)
            agent.request(call)
            assertEquals(50, known())
            battery(40)
            agent.request(call)
            agent.heartbeat()
            assertEquals(50, known())
        }
    }

    @Test
    fun a_report_on_demand_says_how_the_device_is_doing_now(): Unit = runBlocking {
        Devices.open().use { agent ->
            battery(50)
            assertEquals("Lane 2", agent.report().name)
            assertEquals(50, known())
            battery(40)
            agent.blocking().report()
            assertEquals(40, known())
        }
    }

    @Test
    fun diagnostics_that_are_not_to_be_reported_are_not(): Unit = runBlocking {
        Devices.open { diagnostics(false) }.use { it.report() }
        assertNull(info())
    }
}
