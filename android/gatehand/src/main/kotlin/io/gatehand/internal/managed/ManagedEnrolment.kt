package io.gatehand.internal.managed

import io.gatehand.ConfirmedEnrolment
import io.gatehand.DeviceState
import io.gatehand.Enrolment
import io.gatehand.EnrolmentCodeException
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.ManagedOutcome
import io.gatehand.VaultException
import java.io.IOException

/**
 * Enrols a device with what its management has set: once with each token, and only at a server that
 * the configuration allows.
 *
 * @param configured Reads the configuration.
 * @param tokens Which tokens are used up.
 * @param parse Makes an enrolment of address and token.
 * @param state What the device is.
 * @param initialize Redeems an enrolment.
 */
internal class ManagedEnrolment(
    private val configured: suspend () -> ManagedConfiguration?,
    private val tokens: ManagedTokens,
    private val parse: (String, String) -> Enrolment,
    private val state: () -> DeviceState,
    private val initialize: suspend (ConfirmedEnrolment) -> Unit,
) {
    suspend fun run(): ManagedOutcome =
        try {
            val configuration = configured()
            when {
                configuration == null -> ManagedOutcome.NotConfigured
                state().isEnrolled() -> ManagedOutcome.NotNeeded
                else -> enrol(configuration)
            }
        } catch (failed: GatehandException) {
            failed(failed)
        } catch (unusable: IOException) {
            val message = "the list of used tokens beside the vault can't be used: make room, and check who owns it"
            failed(VaultException(ErrorCode.VAULT_UNWRITABLE, message, unusable))
        }

    private suspend fun enrol(configuration: ManagedConfiguration): ManagedOutcome {
        val enrolment = parse(configuration.server, configuration.token)
        return when {
            configuration.allowed.none { isOrigin(it, enrolment) } -> ManagedOutcome.NotAllowed(enrolment.exactOrigin)
            tokens.isUsed(enrolment.origin, enrolment.token) -> ManagedOutcome.AlreadyUsed
            else -> redeem(enrolment)
        }
    }

    /** Whether an entry of the allowed servers is the one of [enrolment]; one with a path allows nothing. */
    private fun isOrigin(entry: String, enrolment: Enrolment): Boolean =
        try {
            val named = parse(entry, enrolment.token)
            named.server == named.exactOrigin && named.exactOrigin == enrolment.exactOrigin
        } catch (_: EnrolmentCodeException) {
            false
        }

    private suspend fun redeem(enrolment: Enrolment): ManagedOutcome =
        try {
            initialize(enrolment.confirmed(enrolment.origin))
            tokens.use(enrolment.origin, enrolment.token)
            ManagedOutcome.Enrolled
        } catch (failed: GatehandException) {
            // Any other refusal is not about the token, as one of a gateway's.
            if (failed.code == ErrorCode.TOKEN_REFUSED || failed.code == ErrorCode.ANSWER_LOST) {
                tokens.use(enrolment.origin, enrolment.token)
            }
            // A vault that was locked until now turned out to hold an identity.
            if (failed.code == ErrorCode.ALREADY_ENROLLED) ManagedOutcome.NotNeeded else failed(failed)
        }

    private fun failed(cause: GatehandException): ManagedOutcome =
        if (cause.isTemporary) ManagedOutcome.TryLater(cause) else ManagedOutcome.Failed(cause)
}

/** Whether there is an identity that a key belongs to. */
internal fun DeviceState.isEnrolled(): Boolean = this is DeviceState.Enrolled || this is DeviceState.Rejected
