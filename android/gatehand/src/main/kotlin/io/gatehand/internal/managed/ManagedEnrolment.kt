package io.gatehand.internal.managed

import io.gatehand.ConfirmedEnrolment
import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.ManagedOutcome
import io.gatehand.RefusedException
import io.gatehand.VaultException
import java.io.IOException

/**
 * Enrols a device with what its management has set: once with each token, and only at a server that
 * the configuration allows.
 *
 * @param tokens Which tokens are used up.
 * @param parse Makes an enrolment of address and token.
 * @param state What the device is.
 * @param initialize Redeems an enrolment.
 */
internal class ManagedEnrolment(
    private val tokens: ManagedTokens,
    private val parse: (String, String) -> Enrolment,
    private val state: () -> DeviceState,
    private val initialize: suspend (ConfirmedEnrolment) -> Unit,
) {
    suspend fun run(configuration: ManagedConfiguration?): ManagedOutcome =
        try {
            if (configuration == null) ManagedOutcome.NotConfigured else enrol(configuration)
        } catch (failed: GatehandException) {
            ManagedOutcome.Failed(failed)
        } catch (unusable: IOException) {
            val message = "the list of used tokens beside the vault can't be used: make room, and check who owns it"
            ManagedOutcome.Failed(VaultException(ErrorCode.VAULT_UNWRITABLE, message, unusable))
        }

    private suspend fun enrol(configuration: ManagedConfiguration): ManagedOutcome {
        val enrolment = parse(configuration.server, configuration.token)
        return when {
            !configuration.allows(enrolment.exactOrigin) -> ManagedOutcome.NotAllowed(enrolment.origin)
            tokens.isUsed(enrolment.origin, enrolment.token) -> ManagedOutcome.AlreadyUsed
            // A crash may have come between the enrolment and its mark.
            isEnrolled() -> ManagedOutcome.NotNeeded
            else -> redeem(enrolment)
        }
    }

    private fun isEnrolled(): Boolean = when (state()) {
        is DeviceState.Enrolled, is DeviceState.Rejected -> true
        else -> false
    }

    private suspend fun redeem(enrolment: Enrolment): ManagedOutcome =
        try {
            initialize(enrolment.confirmed(enrolment.origin))
            tokens.use(enrolment.origin, enrolment.token)
            ManagedOutcome.Enrolled
        } catch (refused: RefusedException) {
            tokens.use(enrolment.origin, enrolment.token)
            ManagedOutcome.Failed(refused)
        } catch (unreached: ConnectionException) {
            ManagedOutcome.TryLater(unreached)
        } catch (failed: GatehandException) {
            if (failed.code == ErrorCode.ANSWER_LOST) tokens.use(enrolment.origin, enrolment.token)
            ManagedOutcome.Failed(failed)
        }
}
