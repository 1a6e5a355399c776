package io.gatehand.life

import android.app.Application
import android.content.BroadcastReceiver
import android.content.Context
import android.content.ContextWrapper
import android.content.Intent
import android.content.IntentFilter
import io.gatehand.AgentConfig
import io.gatehand.ApiRequest
import io.gatehand.Leftovers
import io.gatehand.ScannerAgent
import io.gatehand.testing.Alive
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestServer
import io.gatehand.testing.TestingLibraryRunner
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.Before
import org.junit.Rule
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment

/** What an agent that is closed, or was never given out, leaves in the native library: nothing. */
@RunWith(TestingLibraryRunner::class)
class LeftoversTest {
    @get:Rule
    val server = TestServer()

    private val context: Application = RuntimeEnvironment.getApplication()

    @Before
    fun forgetKeys() {
        StandInKeystore.reset()
    }

    @Test
    fun a_closed_agent_leaves_no_thread_and_nothing_else_behind(): Unit = runBlocking {
        Devices.open().use { agent ->
            agent.enrol(server.createDevice())
            agent.request(ApiRequest.get("api/v1/device/info"))
            assertTrue(Leftovers.threads() > 0)
            assertEquals(1, Alive.counts().first())
        }
        Leftovers.awaitNoThreads()
        assertEquals(listOf<Long>(0, 0, 0, 0), Alive.counts().toList())
    }

    @Test
    fun an_agent_that_cannot_listen_to_the_management_is_not_left_open() {
        val app = object : ContextWrapper(context) {
            override fun getApplicationContext(): Context = this

            override fun registerReceiver(receiver: BroadcastReceiver?, filter: IntentFilter): Intent? = throw SecurityException("not allowed")
        }
        val config = AgentConfig.Builder("pretixSCAN", "2.3.1").build()
        assertFailsWith<SecurityException> { ScannerAgent.open(app, config) }
        assertEquals(0, Alive.counts().first())
        ScannerAgent.open(context, config).close()
    }
}
