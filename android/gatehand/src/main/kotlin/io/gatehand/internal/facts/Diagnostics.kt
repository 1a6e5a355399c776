package io.gatehand.internal.facts

import android.annotation.TargetApi
import android.app.ActivityManager
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.net.wifi.WifiManager
import android.os.BatteryManager
import android.os.Build
import android.os.Process
import android.os.StatFs
import android.os.SystemClock
import java.io.File
import org.json.JSONObject

/**
 * How the device is doing: the `info` of its report, with the names that scanners without Android
 * use too. What can't be had is left out; nothing here fails.
 *
 * ```json
 * {
 *   "uptime_seconds": 86400, "app_uptime_seconds": 3600,
 *   "memory": {"total_bytes": 2953433088, "available_bytes": 1572864000},
 *   "disk": {"total_bytes": 25769803776, "available_bytes": 18790481920},
 *   "battery": {"percent": 87, "status": "discharging", "health": "Good",
 *               "temperature_celsius": 29.1, "technology": "Li-ion"},
 *   "mains_online": false,
 *   "wifi": {"enabled": true, "signal_dbm": -61, "link_mbps": 72, "frequency_mhz": 5180}
 * }
 * ```
 *
 * Neither the network's name nor any address is in it: those tell where a person is.
 */
internal class Diagnostics(private val context: Context, private val folder: File) {
    fun read(): JSONObject {
        val json = JSONObject()
            .put("uptime_seconds", SystemClock.elapsedRealtime() / MILLIS)
            .put("app_uptime_seconds", (SystemClock.elapsedRealtime() - started()) / MILLIS)
        attempt { memory() }?.let { json.put("memory", it) }
        attempt { disk() }?.let { json.put("disk", it) }
        attempt { context.registerReceiver(null, IntentFilter(Intent.ACTION_BATTERY_CHANGED)) }?.let { battery ->
            json.put("battery", battery(battery))
            json.put("mains_online", battery.getIntExtra(BatteryManager.EXTRA_PLUGGED, 0) != 0)
        }
        attempt { wifi() }?.let { json.put("wifi", it) }
        return json
    }

    private fun memory(): JSONObject {
        val memory = ActivityManager.MemoryInfo()
        (context.getSystemService(Context.ACTIVITY_SERVICE) as ActivityManager).getMemoryInfo(memory)
        return JSONObject().put("total_bytes", memory.totalMem).put("available_bytes", memory.availMem)
    }

    private fun disk(): JSONObject {
        val existing = generateSequence(folder) { it.parentFile }.first { it.exists() }
        val disk = StatFs(existing.path)
        return JSONObject().put("total_bytes", disk.totalBytes).put("available_bytes", disk.availableBytes)
    }

    private fun battery(battery: Intent): JSONObject {
        val json = JSONObject()
        val level = battery.getIntExtra(BatteryManager.EXTRA_LEVEL, -1)
        val scale = battery.getIntExtra(BatteryManager.EXTRA_SCALE, 0)
        if (level >= 0 && scale > 0) json.put("percent", level * PERCENT / scale)
        json.putOpt("status", STATUS[battery.getIntExtra(BatteryManager.EXTRA_STATUS, 0)])
        json.putOpt("health", HEALTH[battery.getIntExtra(BatteryManager.EXTRA_HEALTH, 0)])
        val tenths = battery.getIntExtra(BatteryManager.EXTRA_TEMPERATURE, Int.MIN_VALUE)
        if (tenths in PLAUSIBLE_TENTHS) json.put("temperature_celsius", tenths / TENTH)
        return json.putOpt("technology", battery.getStringExtra(BatteryManager.EXTRA_TECHNOLOGY)?.ifBlank { null })
    }

    @Suppress("DEPRECATION") // What replaces it needs a callback and Android 12, and tells no more.
    private fun wifi(): JSONObject {
        val wifi = context.applicationContext.getSystemService(Context.WIFI_SERVICE) as WifiManager
        val json = JSONObject().put("enabled", wifi.isWifiEnabled)
        val connection = wifi.connectionInfo ?: return json
        if (connection.networkId == -1 && connection.linkSpeed <= 0) return json
        if (connection.rssi in PLAUSIBLE_DBM) json.put("signal_dbm", connection.rssi)
        if (connection.linkSpeed > 0) json.put("link_mbps", connection.linkSpeed)
        if (connection.frequency > 0) json.put("frequency_mhz", connection.frequency)
        return json
    }

    @TargetApi(Build.VERSION_CODES.N)
    private fun started(): Long =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.N) Process.getStartElapsedRealtime() else LOADED

    /** Vendors' services throw what the documentation does not name; a number less is no reason to fail. */
    private fun <T> attempt(read: () -> T?): T? =
        try {
            read()
        } catch (_: RuntimeException) {
            null
        }

    private companion object {
        const val MILLIS = 1000L
        const val PERCENT = 100
        const val TENTH = 10.0
        val PLAUSIBLE_TENTHS = -400..1250
        val PLAUSIBLE_DBM = -126..0

        /** Android before 7 does not tell when the app was started. */
        val LOADED = SystemClock.elapsedRealtime()

        val STATUS = mapOf(
            BatteryManager.BATTERY_STATUS_CHARGING to "charging",
            BatteryManager.BATTERY_STATUS_DISCHARGING to "discharging",
            BatteryManager.BATTERY_STATUS_FULL to "full",
            BatteryManager.BATTERY_STATUS_NOT_CHARGING to "not_charging",
        )
        val HEALTH = mapOf(
            BatteryManager.BATTERY_HEALTH_GOOD to "Good",
            BatteryManager.BATTERY_HEALTH_OVERHEAT to "Overheat",
            BatteryManager.BATTERY_HEALTH_DEAD to "Dead",
            BatteryManager.BATTERY_HEALTH_OVER_VOLTAGE to "Over voltage",
            BatteryManager.BATTERY_HEALTH_UNSPECIFIED_FAILURE to "Unspecified failure",
            BatteryManager.BATTERY_HEALTH_COLD to "Cold",
        )
    }
}
