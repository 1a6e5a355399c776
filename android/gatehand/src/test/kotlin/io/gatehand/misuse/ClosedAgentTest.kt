package io.gatehand.misuse

import io.gatehand.Agent
import io.gatehand.AgentListener
import io.gatehand.ApiRequest
import io.gatehand.BlockingAgent
import io.gatehand.ConfirmedEnrolment
import io.gatehand.DeviceState
import io.gatehand.Enrolment
import io.gatehand.EventSelection
import io.gatehand.ExistingIdentity
import io.gatehand.ScannerAgent
import io.gatehand.life.Devices
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestLibrary
import java.lang.reflect.InvocationTargetException
import java.lang.reflect.Method
import java.lang.reflect.Modifier
import java.util.concurrent.Executor
import kotlin.coroutines.Continuation
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertTrue
import org.junit.Before
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** Whatever is called after `close` says in words that it was closed. */
@RunWith(RobolectricTestRunner::class)
class ClosedAgentTest {
    private lateinit var agent: ScannerAgent

    @Before
    fun close() {
        TestLibrary.use()
        StandInKeystore.reset()
        agent = Devices.open().apply { close() }
    }

    private fun argument(type: Class<*>): Any? = when (type) {
        ConfirmedEnrolment::class.java -> Enrolment.of("https://pretix.eu", "kpp4jn8g2ynzonp6").let { it.confirmed(it.origin) }
        ExistingIdentity::class.java -> ExistingIdentity("https://pretix.eu", "key")
        ApiRequest::class.java -> ApiRequest.get("/api/v1/version")
        EventSelection::class.java -> EventSelection("museum")
        java.lang.Boolean.TYPE -> false
        Executor::class.java -> Executor { it.run() }
        Function0::class.java -> { -> true }
        AgentListener::class.java -> object : AgentListener {}
        else -> error("the test knows no $type")
    }

    private fun public(type: Class<*>): List<Method> = type.declaredMethods.filter {
        Modifier.isPublic(it.modifiers) && !Modifier.isStatic(it.modifiers) && '$' !in it.name
    }

    private fun isSuspending(method: Method) = method.parameterTypes.lastOrNull() == Continuation::class.java

    private fun assertSaysClosed(method: Method, on: Any) {
        val thrown = try {
            method.invoke(on, *method.parameterTypes.map(::argument).toTypedArray())
            null
        } catch (error: InvocationTargetException) {
            error.targetException
        }
        val error = assertIs<IllegalStateException>(thrown, "$method: $thrown")
        assertEquals("this ScannerAgent is closed: open another one", error.message, "$method")
    }

    @Test
    fun every_operation_says_so() {
        val operations = public(BlockingAgent::class.java)
        assertEquals(public(Agent::class.java).filter(::isSuspending).map { it.name }.toSet(), operations.map { it.name }.toSet())
        for (operation in operations) assertSaysClosed(operation, agent.blocking())
    }

    @Test
    fun so_does_the_rest_but_what_only_looks_back() {
        val rest = public(Agent::class.java).filterNot(::isSuspending).associateBy { it.name }
        val harmless = setOf("getState", "getEvents", "getManagedOutcome", "blocking", "close")
        assertTrue(rest.keys.containsAll(harmless), "${rest.keys}")
        for (name in rest.keys - harmless) assertSaysClosed(rest.getValue(name), agent)
        assertEquals(DeviceState.NotEnrolled, agent.state.value)
        agent.close()
    }
}
