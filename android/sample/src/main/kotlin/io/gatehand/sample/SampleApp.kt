package io.gatehand.sample

import android.app.Application
import android.content.pm.PackageManager
import io.gatehand.AgentConfig
import io.gatehand.ScannerAgent
import io.gatehand.datawedge.DataWedge
import io.gatehand.datawedge.DataWedgeListener
import io.gatehand.datawedge.SetUpOutcome
import java.util.concurrent.TimeUnit

/**
 * Holds what lives as long as the process: the device's agent, what its screens show, and the scan
 * engine. What is open or protected here is so for tests, which end and restart apps.
 */
open class SampleApp : Application() {
    private val lazyModel = lazy { makeModel() }

    /** The process's only agent, opened by whoever needs it first: a screen or a job. */
    open val agent: SharedAgent by lazy { SharedAgent(::openAgent) }

    /** The key from before this app used gatehand. */
    val oldKey: OldKey by lazy { OldKey(this) }

    /** What the screens show; made with the first of them. */
    open val model: DeviceModel by lazyModel

    /** The scan engine, if this device has one. */
    val scanner: DataWedge by lazy {
        val listener = object : DataWedgeListener {
            override fun onScan(text: String) = model.scanned(text)

            override fun onSetUp(outcome: SetUpOutcome) = model.scannerIs(outcome)
        }
        DataWedge(this, listener)
    }

    /** Longest time that an operation takes, retries included: a person stands there and waits. */
    protected open val timeLimitMillis: Long = 30_000

    override fun onCreate() {
        super.onCreate()
        HeartbeatJob.everyHour(this)
    }

    protected fun makeModel(): DeviceModel =
        DeviceModel(DataWedge.isHere(this), agent, oldKey, tryAgainSoon = { HeartbeatJob.soon(this) })

    protected open fun openAgent(): ScannerAgent {
        val config = AgentConfig.Builder("gatehand sample", version())
            .timeLimit(timeLimitMillis, TimeUnit.MILLISECONDS)
            // For as long as the process lives: the next one does without the key, or with another answer.
            .managedConfiguration(!oldKey.waits())
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
        agent.close()
        super.onTerminate()
    }
}
