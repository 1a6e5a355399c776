package io.gatehand.sample

import android.app.Application
import android.content.pm.PackageManager
import io.gatehand.AgentConfig
import io.gatehand.ScannerAgent
import java.util.concurrent.TimeUnit

/** Holds what lives as long as the process: the device's agent, and what its screens show. */
open class SampleApp : Application() {
    private val lazyModel = lazy { makeModel() }

    /** Longest time that an operation takes, retries included: a person stands there and waits. */
    protected open val timeLimitMillis: Long = 30_000

    /** What the screens show; made with the first of them. */
    open val model: DeviceModel by lazyModel

    protected fun makeModel(): DeviceModel = DeviceModel(DataWedge.isHere(this), ::openAgent)

    /** Opens the process's only agent. */
    protected open fun openAgent(): ScannerAgent {
        val config = AgentConfig.Builder("gatehand sample", version())
            .timeLimit(timeLimitMillis, TimeUnit.MILLISECONDS)
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
        if (lazyModel.isInitialized()) lazyModel.value.close()
        super.onTerminate()
    }
}
