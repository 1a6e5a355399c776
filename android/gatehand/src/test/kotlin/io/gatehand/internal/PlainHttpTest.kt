package io.gatehand.internal

import android.security.NetworkSecurityPolicy
import io.gatehand.AgentConfig
import io.gatehand.Enrolment
import io.gatehand.EnrolmentCodeException
import io.gatehand.ErrorCode
import io.gatehand.ExistingIdentity
import io.gatehand.GatehandException
import io.gatehand.ScannerAgent
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestServer
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements

/** Servers without encryption, where the app's network security configuration permits one of them. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [27, 35], shadows = [PlainHttpTest.OnePermitted::class])
class PlainHttpTest {
    @get:Rule
    val server = TestServer()

    @Implements(NetworkSecurityPolicy::class)
    class OnePermitted {
        @Implementation
        fun isCleartextTrafficPermitted(host: String): Boolean = host == "gate.local"
    }

    @Test
    fun only_another_machine_needs_to_be_permitted() {
        for (fine in listOf("https://tickets.example", "http://localhost:8345", "http://127.0.0.1:8345", "http://[::1]:8345", "http://gate.local:8345")) {
            assertNull(PlainHttp.refusal(fine), fine)
        }
        for (refused in listOf("http://tickets.example", "HTTP://10.0.0.1:8345/tickets", "http://[fe80::1]")) {
            assertTrue("cleartextTrafficPermitted" in PlainHttp.refusal(refused).orEmpty(), refused)
        }
    }

    @Test
    fun what_is_not_permitted_is_refused_before_anything_is_sent(): Unit = runBlocking {
        StandInKeystore.reset()
        val config = AgentConfig.Builder("pretixSCAN", "2.3.1").allowHttp(true).build()
        ScannerAgent.open(RuntimeEnvironment.getApplication(), config).use { agent ->
            val enrolment = Enrolment.of("http://192.0.2.1:8345", "kpp4jn8g2ynzonp6")
            val refused = assertFailsWith<EnrolmentCodeException> { agent.initialize(enrolment.confirmed(enrolment.origin)) }
            assertEquals(ErrorCode.ENROLMENT_INVALID, refused.code)
            assertTrue("network security configuration" in refused.message, refused.message)
            val existing = ExistingIdentity("http://192.0.2.1:8345", "key")
            assertEquals(ErrorCode.ARGUMENT_INVALID, assertFailsWith<GatehandException> { agent.adopt(existing) }.code)
        }
    }
}
