package io.gatehand.sample

import android.app.Application
import android.content.pm.PackageManager
import io.gatehand.AgentConfig
import io.gatehand.ScannerAgent
import java.util.concurrent.TimeUnit

/** Holds what lives as long as the process: the device's agent, and what its screens show. */
open class SampleApp : Application() {
    private val lazyModel = lazy { DeviceModel(DataWedge.isHere(this), ::openAgent) }

    /** What the screens show; made with the first of them. */
    val model: DeviceModel by lazyModel

    /** Opens the process's only agent. */
    protected open fun openAgent(): ScannerAgent {
        val config = AgentConfig.Builder("gatehand sample", version())
            // A person stands there and waits.
            .timeLimit(TIME_LIMIT_SECONDS, TimeUnit.SECONDS)
            .build()
        return ScannerAgent.open(this, config)
    }

    private fun version(): String =
        try {
            packageManager.getPackageInfo(packageName, 0).versionName
        } catch (_: PackageManager.NameNotFoundException) {
            null
        } ?: "unknown"

    /** Devices end processes without it; emulated ones, as in tests, end here. */
    override fun onTerminate() {
        if (lazyModel.isInitialized()) model.close()
        super.onTerminate()
    }

    private companion object {
        const val TIME_LIMIT_SECONDS = 30L
    }
}
