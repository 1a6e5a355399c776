package io.gatehand.internal.managed

import android.os.Bundle
import io.gatehand.ConfirmedEnrolment
import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.DeviceStateException
import io.gatehand.Enrolment
import io.gatehand.EnrolmentCodeException
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.Identity
import io.gatehand.ManagedOutcome
import io.gatehand.RefusedException
import io.gatehand.VaultException
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlinx.coroutines.runBlocking
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [27])
class ManagedEnrolmentTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private val identity = Identity("https://pretix.eu", "bigevents", 1, "LF1LCJWO6I2M1G9K", "Lane 1", "full", null, null, 0)
    private var state: DeviceState = DeviceState.NotEnrolled
    private var failure: GatehandException? = null
    private val redeemed = ArrayList<String>()

    private fun configuration(token: String = "kpp4jn8g2ynzonp6", allowed: String = "pretix.eu") = ManagedConfiguration.of(
        Bundle().apply {
            putString("url", "https://pretix.eu")
            putString("token", token)
            putString("allowed_servers", allowed)
        },
    )

    private fun parse(server: String, token: String): Enrolment {
        if (' ' in token) throw EnrolmentCodeException(ErrorCode.ENROLMENT_INVALID, "the token has blanks")
        val address = if ("://" in server) server else "https://$server"
        return Enrolment(address, address, address.substringAfter("://"), address, true, token)
    }

    private fun initialize(confirmed: ConfirmedEnrolment) {
        redeemed.add(confirmed.enrolment.token)
        failure?.let { throw it }
        state = DeviceState.Enrolled(identity)
    }

    /** Each run is one of a new process, with nothing but the files. */
    private fun run(configuration: ManagedConfiguration? = configuration()): ManagedOutcome = runBlocking {
        ManagedEnrolment({ configuration }, ManagedTokens(temporary.root), ::parse, { state }, ::initialize).run()
    }

    @Test
    fun a_device_that_its_management_set_up_enrols_by_itself_and_once() {
        assertIs<ManagedOutcome.Enrolled>(run())
        assertEquals(listOf("kpp4jn8g2ynzonp6"), redeemed)
        state = DeviceState.Revoked(identity)
        assertIs<ManagedOutcome.AlreadyUsed>(run())
        assertEquals(1, redeemed.size)
    }

    @Test
    fun the_token_is_remembered_by_its_hash_only() {
        run()
        val kept = temporary.root.walk().filter(File::isFile).joinToString { it.readText() }
        assertFalse("kpp4jn8g2ynzonp6" in kept)
    }

    @Test
    fun a_new_token_enrols_a_device_again_that_was_revoked_or_lost_its_key() {
        run()
        state = DeviceState.Revoked(identity)
        assertIs<ManagedOutcome.Enrolled>(run(configuration("aaaabbbbccccdddd")))
        assertEquals(2, redeemed.size)
    }

    @Test
    fun an_enrolled_device_is_left_alone() {
        state = DeviceState.Enrolled(identity)
        assertIs<ManagedOutcome.NotNeeded>(run())
        state = DeviceState.Rejected(identity)
        assertIs<ManagedOutcome.NotNeeded>(run())
        assertEquals(emptyList(), redeemed)
    }

    @Test
    fun a_device_whose_vault_turns_out_to_hold_an_identity_needs_no_token() {
        failure = DeviceStateException(ErrorCode.ALREADY_ENROLLED, "the Keystore was busy before")
        assertIs<ManagedOutcome.NotNeeded>(run())
        failure = null
        assertIs<ManagedOutcome.Enrolled>(run())
    }

    @Test
    fun a_device_that_its_token_enrolled_needs_none_after_a_restart() {
        assertIs<ManagedOutcome.Enrolled>(run())
        assertIs<ManagedOutcome.NotNeeded>(run())
    }

    @Test
    fun what_passes_is_tried_again_with_the_same_token() {
        val passing = listOf(
            ConnectionException(ErrorCode.SERVER_FAILED, "the server failed", 503),
            ConnectionException(ErrorCode.FOREIGN_ANSWER, "a login page"),
            RefusedException(ErrorCode.REFUSED, "a gateway", 403),
            RefusedException(ErrorCode.REFUSED, "a gateway", 401),
            VaultException(ErrorCode.VAULT_IN_USE, "busy"),
            VaultException(ErrorCode.VAULT_UNWRITABLE, "the disk is full"),
            VaultException(ErrorCode.KEYSTORE_UNAVAILABLE, "the Keystore is busy"),
            GatehandException(ErrorCode.ANDROID_FAILED, "Android is busy"),
        )
        for (error in passing) {
            failure = error
            assertEquals(error, assertIs<ManagedOutcome.TryLater>(run()).cause)
        }
        failure = null
        assertIs<ManagedOutcome.Enrolled>(run())
        assertEquals(passing.size + 1, redeemed.size)
    }

    @Test
    fun a_refusal_that_is_not_about_the_token_leaves_it_for_later() {
        failure = RefusedException(ErrorCode.REFUSED, "the model is too long", 400)
        assertIs<ManagedOutcome.Failed>(run())
        failure = null
        assertIs<ManagedOutcome.Enrolled>(run())
    }

    @Test
    fun no_token_goes_to_a_server_that_is_not_allowed() {
        val outcome = assertIs<ManagedOutcome.NotAllowed>(run(configuration(allowed = "tickets.example")))
        assertEquals("https://pretix.eu", outcome.origin)
        assertEquals(emptyList(), redeemed)
    }

    @Test
    fun a_server_that_is_not_reached_is_tried_again() {
        failure = ConnectionException(ErrorCode.UNREACHABLE, "no network")
        assertIs<ManagedOutcome.TryLater>(run())
        state = DeviceState.Enrolling("https://pretix.eu")
        failure = null
        assertIs<ManagedOutcome.Enrolled>(run())
    }

    @Test
    fun a_token_that_the_server_refused_or_whose_answer_is_lost_is_not_tried_again() {
        failure = RefusedException(ErrorCode.TOKEN_REFUSED, "unknown token", 400)
        assertIs<ManagedOutcome.Failed>(run())
        assertIs<ManagedOutcome.AlreadyUsed>(run())
        failure = DeviceStateException(ErrorCode.ANSWER_LOST, "the answer is lost")
        assertIs<ManagedOutcome.Failed>(run(configuration("aaaabbbbccccdddd")))
        assertIs<ManagedOutcome.AlreadyUsed>(run(configuration("aaaabbbbccccdddd")))
        assertEquals(2, redeemed.size)
    }

    @Test
    fun a_configuration_that_is_no_enrolment_is_said_so() {
        assertIs<ManagedOutcome.NotConfigured>(run(null))
        assertEquals(ErrorCode.ENROLMENT_INVALID, assertIs<ManagedOutcome.Failed>(run(configuration("a b"))).cause.code)
    }
}
