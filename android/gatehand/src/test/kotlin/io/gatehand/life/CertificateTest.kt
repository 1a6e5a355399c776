package io.gatehand.life

import android.app.Application
import android.content.Context
import android.content.RestrictionsManager
import android.os.Bundle
import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.ExistingIdentity
import io.gatehand.GatehandException
import io.gatehand.Heartbeat
import io.gatehand.ManagedOutcome
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestServer
import java.io.File
import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.security.KeyStore
import java.util.concurrent.atomic.AtomicInteger
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.Before
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** A server that can't prove that it is the one of its address. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [27])
class CertificateTest {
    @get:Rule
    val folder = TemporaryFolder()

    @get:Rule
    val server = TestServer()

    private val tried = AtomicInteger()
    private val calls = AtomicInteger()

    @Before
    fun forgetKeys() {
        StandInKeystore.reset()
    }

    private fun assertCertificate(error: GatehandException) {
        assertIs<ConnectionException>(error)
        assertEquals(ErrorCode.CERTIFICATE_INVALID, error.code, error.stackTraceToString())
        assertFalse(error.isTemporary)
        assertTrue("log in to the network" in error.message, error.message)
    }

    @Test
    fun it_gets_neither_a_token_nor_a_key_and_a_person_is_asked_to_look(): Unit = runBlocking {
        selfSigned().use { https ->
            val address = "https://localhost:${https.localPort}"
            Devices.open().use { agent ->
                val enrolment = Enrolment.of(address, "kpp4jn8g2ynzonp6")
                assertCertificate(assertFailsWith { agent.initialize(enrolment.confirmed(enrolment.origin)) })
                assertEquals(DeviceState.NotEnrolled, agent.status())
                assertCertificate(assertFailsWith { agent.adopt(ExistingIdentity(address, "key")) })
                assertEquals(DeviceState.NotEnrolled, agent.status())
            }
        }
        // Each was tried once, and neither said anything.
        assertEquals(2 to 0, tried.get() to calls.get())
    }

    @Test
    fun background_work_leaves_it_to_a_person_and_uses_no_token_up(): Unit = runBlocking {
        selfSigned().use { https ->
            manage("https://localhost:${https.localPort}")
            Devices.open().use { agent ->
                repeat(2) {
                    assertEquals(Heartbeat.NEEDS_PERSON, agent.heartbeat())
                    assertCertificate(assertIs<ManagedOutcome.Failed>(agent.managedOutcome.value).cause)
                }
            }
        }
    }

    @Test
    fun a_server_of_plain_http_is_said_to_be_one(): Unit = runBlocking {
        Devices.openImpatient().use { agent ->
            val enrolment = Enrolment.of(server.address.replace("http:", "https:"), "kpp4jn8g2ynzonp6")
            val error = assertFailsWith<ConnectionException> { agent.initialize(enrolment.confirmed(enrolment.origin)) }
            assertEquals(ErrorCode.UNREACHABLE, error.code)
            assertTrue("http:// address" in error.stackTraceToString(), error.stackTraceToString())
        }
    }

    private fun manage(url: String) {
        val context: Application = RuntimeEnvironment.getApplication()
        val restrictions = Bundle().apply {
            putString("url", url)
            putString("token", "kpp4jn8g2ynzonp6")
            putString("allowed_servers", url)
        }
        shadowOf(context.getSystemService(Context.RESTRICTIONS_SERVICE) as RestrictionsManager).setApplicationRestrictions(restrictions)
    }

    private fun selfSigned(): ServerSocket {
        val file = File(folder.root, "own.p12")
        val keytool = listOf(File(System.getProperty("java.home"), "bin/keytool").path, "-genkeypair", "-alias", "own", "-keyalg", "EC")
        val options = listOf("-dname", "CN=localhost", "-ext", "SAN=dns:localhost", "-keystore", file.path, "-storetype", "PKCS12", "-storepass", PASSWORD)
        val making = ProcessBuilder(keytool + options).redirectErrorStream(true).start()
        val said = making.inputStream.readBytes().decodeToString()
        check(making.waitFor() == 0) { said }
        val store = KeyStore.getInstance("PKCS12").apply { file.inputStream().use { load(it, PASSWORD.toCharArray()) } }
        val keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm()).apply { init(store, PASSWORD.toCharArray()) }
        val tls = SSLContext.getInstance("TLS").apply { init(keys.keyManagers, null, null) }
        return tls.serverSocketFactory.createServerSocket(0, 0, InetAddress.getByName("localhost")).also { Thread { serve(it) }.start() }
    }

    /** Counts what gets through to the server itself. */
    private fun serve(listener: ServerSocket) {
        try {
            while (true) {
                listener.accept().use { connection ->
                    try {
                        tried.incrementAndGet()
                        if (connection.getInputStream().read() >= 0) calls.incrementAndGet()
                    } catch (_: IOException) {
                        // The device hung up.
                    }
                }
            }
        } catch (_: IOException) {
            // Closed.
        }
    }

    private companion object {
        const val PASSWORD = "of a test"
    }
}
