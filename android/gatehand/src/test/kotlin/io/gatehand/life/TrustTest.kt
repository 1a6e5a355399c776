package io.gatehand.life

import io.gatehand.AgentConfig
import io.gatehand.ApiRequest
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.ScannerAgent
import io.gatehand.Trust
import io.gatehand.testing.StandInCaStore
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestAuthority
import io.gatehand.testing.TestServer
import java.security.cert.X509Certificate
import java.util.Base64
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Before
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** Whom a device believes to be its server. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [27])
class TrustTest {
    @get:Rule
    val folder = TemporaryFolder()

    @get:Rule
    val server = TestServer()

    private val authority by lazy { TestAuthority(folder.root) }
    private val call = ApiRequest.get("/api/v1/device/info")

    @Before
    fun forgetKeys() {
        StandInKeystore.reset()
    }

    @After
    fun removeAuthorities() {
        StandInCaStore.remove()
    }

    private fun pem(certificate: X509Certificate) =
        "-----BEGIN CERTIFICATE-----\n${Base64.getMimeEncoder().encodeToString(certificate.encoded)}\n-----END CERTIFICATE-----\n"

    private fun trusting(trust: Trust, fill: AgentConfig.Builder.() -> Unit = {}) = Devices.open { trust(trust).apply(fill) }

    private suspend fun ScannerAgent.enrolAt(address: String) {
        val enrolment = Enrolment.of(address, server.createDevice().token)
        initialize(enrolment.confirmed(enrolment.origin))
    }

    private fun assertDistrusted(call: suspend () -> Unit) {
        val error = assertFailsWith<GatehandException> { runBlocking { call() } }
        assertEquals(ErrorCode.CERTIFICATE_INVALID, error.code, error.stackTraceToString())
    }

    @Test
    fun an_authority_that_the_app_gives_is_trusted_as_long_as_it_gives_it(): Unit = runBlocking {
        authority.front(server.address).use { front ->
            val address = "https://localhost:${front.port}"
            trusting(Trust.builtIn()).use { agent -> assertDistrusted { agent.enrolAt(address) } }
            trusting(Trust.certificates(pem(authority.certificate).encodeToByteArray())).use { it.enrolAt(address) }
            trusting(Trust.certificates(authority.certificate.encoded)).use { assertEquals(200, it.request(call).status) }
            trusting(Trust.builtIn()).use { agent -> assertDistrusted { agent.request(call) } }
        }
    }

    @Test
    fun an_authority_that_a_person_has_installed_is_trusted_on_request(): Unit = runBlocking {
        val other = TestAuthority(folder.root, "Other Root")
        StandInCaStore.of(mapOf("system:1" to other.certificate, "user:1" to authority.certificate))
        authority.front(server.address).use { front ->
            val address = "https://localhost:${front.port}"
            trusting(Trust.builtIn()).use { agent -> assertDistrusted { agent.enrolAt(address) } }
            trusting(Trust.systemAndUser()).use {
                it.enrolAt(address)
                assertEquals(200, it.request(call).status)
            }
            StandInCaStore.of(mapOf("system:1" to other.certificate))
            trusting(Trust.systemAndUser()).use { agent -> assertDistrusted { agent.request(call) } }
        }
    }

    @Test
    fun authorities_of_android_that_can_not_be_read_are_told() {
        for (spoil in listOf<() -> Unit>({ StandInCaStore.broken() }, { StandInCaStore.of(emptyMap()) }, { StandInCaStore.remove() })) {
            spoil()
            assertEquals(ErrorCode.ANDROID_FAILED, assertFailsWith<GatehandException> { trusting(Trust.systemAndUser()) }.code)
        }
        Devices.open().close()
    }

    @Test
    fun a_server_at_a_numeric_address_is_known_by_its_certificate(): Unit = runBlocking {
        authority.front(server.address, "tent", selfSigned = true).use { front ->
            authority.front(server.address, "tent", selfSigned = true).use { like ->
                trusting(Trust.pinned(like.certificate.encoded)).use { agent ->
                    assertDistrusted { agent.enrolAt("https://127.0.0.1:${front.port}") }
                }
                trusting(Trust.pinned(pem(front.certificate).encodeToByteArray())).use {
                    it.enrolAt("https://127.0.0.1:${front.port}")
                    assertEquals(200, it.request(call).status)
                }
            }
        }
    }

    @Test
    fun what_is_no_certificate_is_refused_where_it_is_given() {
        val two = (pem(authority.certificate) + pem(TestAuthority(folder.root, "Other Root").certificate)).encodeToByteArray()
        assertFailsWith<IllegalArgumentException> { Trust.pinned(two) }
        Trust.certificates(two)
        for (none in listOf(ByteArray(0), "none".encodeToByteArray(), byteArrayOf(0x30, 0x03, 1, 2, 3))) {
            assertFailsWith<IllegalArgumentException> { Trust.certificates(none) }
            assertFailsWith<IllegalArgumentException> { Trust.pinned(none) }
        }
    }
}
