package io.gatehand.life

import android.app.Application
import io.gatehand.AgentConfig
import io.gatehand.Enrolment
import io.gatehand.Identity
import io.gatehand.ScannerAgent
import io.gatehand.testing.TestDevice
import java.util.concurrent.TimeUnit
import org.robolectric.RuntimeEnvironment

/** What tests of a device's life begin with. */
internal object Devices {
    fun open(vault: String = "default", fill: AgentConfig.Builder.() -> Unit = {}): ScannerAgent {
        val context: Application = RuntimeEnvironment.getApplication()
        return ScannerAgent.open(context, AgentConfig.Builder("pretixSCAN", "2.3.1").vaultName(vault).apply(fill).build())
    }

    /** Opens one that soon gives up what it repeats, and leaves a busy machine the time for what succeeds. */
    fun openImpatient(fill: AgentConfig.Builder.() -> Unit = {}): ScannerAgent = open { timeLimit(2, TimeUnit.SECONDS).apply(fill) }
}

/** Scans the code of [device] and redeems it, as a person does who agrees to its server. */
internal suspend fun ScannerAgent.enrol(device: TestDevice, replace: Boolean = false): Identity {
    val enrolment = Enrolment.parse(device.code)
    return initialize(enrolment.confirmed(enrolment.origin), replace)
}
