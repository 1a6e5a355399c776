package io.gatehand.life

import android.app.Application
import io.gatehand.AgentConfig
import io.gatehand.Enrolment
import io.gatehand.Identity
import io.gatehand.ScannerAgent
import io.gatehand.testing.TestDevice
import org.robolectric.RuntimeEnvironment

/** What tests of a device's life begin with. */
internal object Devices {
    fun open(vault: String = "default", fill: AgentConfig.Builder.() -> Unit = {}): ScannerAgent {
        val context: Application = RuntimeEnvironment.getApplication()
        return ScannerAgent.open(context, AgentConfig.Builder("pretixSCAN", "2.3.1").vaultName(vault).apply(fill).build())
    }
}

/** Scans the code of [device] and redeems it, as a person does who agrees to its server. */
internal suspend fun ScannerAgent.enrol(device: TestDevice, replace: Boolean = false): Identity {
    val enrolment = Enrolment.parse(device.code)
    return initialize(enrolment.confirmed(enrolment.origin), replace)
}
