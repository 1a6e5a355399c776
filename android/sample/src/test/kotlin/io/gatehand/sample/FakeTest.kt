package io.gatehand.sample

import io.gatehand.Agent
import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.fake.FakeAgent
import kotlin.test.Test
import kotlinx.coroutines.runBlocking
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** The app on an agent that does what the test says, without native library and server. */
class FakedApp : SampleApp() {
    val fake = FakeAgent()

    override fun openAgent(): Agent = fake
}

@RunWith(RobolectricTestRunner::class)
@Config(application = FakedApp::class, sdk = [27])
class FakeTest {
    private val gate = Gate()
    private val fake = (gate.app as FakedApp).fake

    @Test
    fun the_screens_show_what_the_fake_is_told_to_be() {
        gate.open()
        gate.sees(R.string.not_enrolled_title)
        fake.become(DeviceState.Enrolling("https://pretix.eu"))
        gate.sees(R.string.enrolling_title)
        fake.failNext(ErrorCode.UNREACHABLE)
        gate.press(R.string.go_on)
        gate.sees(R.string.error_unreachable)
        gate.press(R.string.go_on)
        gate.sees(R.string.enrolled_title)
        runBlocking { fake.revoke() }
        gate.sees(R.string.revoked_title)
    }
}
