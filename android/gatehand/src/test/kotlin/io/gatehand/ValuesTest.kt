package io.gatehand

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNotEquals

/** Values are equal by what they consist of. */
class ValuesTest {
    private fun identity() = Identity.Builder("https://pretix.eu").organizer("bigevents").deviceId(1).uniqueSerial("A").name("Lane 1")
        .securityProfile("full").gate(Gate(1, "South", "s")).serverVersion("2026.8.0").enrolledAtMillis(7).serverVersionNumeric(20260080005000)

    private val lost = VaultException(ErrorCode.KEY_LOST, "lost")
    private val other = VaultException(ErrorCode.KEY_LOST, "lost")

    private fun values(): List<Any> = listOf(
        identity().build(), Gate(1, "South", "s"), EventSelection("museum", "Night", 3, 7),
        DeviceState.NotEnrolled, DeviceState.Enrolling("s"), DeviceState.Enrolled(identity().build()), DeviceState.Rejected(identity().build()),
        DeviceState.Revoked(identity().build()), DeviceState.AnswerLost("s", identity().build(), "a"), DeviceState.VaultLocked(lost),
        DeviceState.EnrolAgain(lost), AgentEvent.KeyRolled, AgentEvent.ReportAcknowledged, AgentEvent.OperationFinished(Operation.ROLL),
        AgentEvent.IdentityChanged(identity().build(), identity().name("Lane 2").build()), EventSuggestion.Keep, EventSuggestion.None,
        EventSuggestion.Switch(EventSelection("museum")), ManagedOutcome.NotConfigured, ManagedOutcome.NotNeeded, ManagedOutcome.AlreadyUsed,
        ManagedOutcome.NotAllowed("o"), ManagedOutcome.Enrolled, ManagedOutcome.TryLater(lost), ManagedOutcome.Failed(lost),
    ) + ofOtherContent()

    private fun ofOtherContent(): List<Any> = listOf(
        Gate(2, "South", "s"), Gate(1, "North", "s"), Gate(1, "South", "n"), EventSelection("zoo", "Night", 3, 7), EventSelection("museum", "Day", 3, 7),
        EventSelection("museum", "Night", 4, 7), EventSelection("museum", "Night", 3, 8), DeviceState.Enrolling("t"),
        DeviceState.Enrolled(identity().name("Lane 2").build()), DeviceState.Rejected(identity().name("Lane 2").build()),
        DeviceState.Revoked(identity().name("Lane 2").build()), DeviceState.AnswerLost("t", identity().build(), "a"),
        DeviceState.AnswerLost("s", null, "a"), DeviceState.AnswerLost("s", identity().build(), "b"), DeviceState.VaultLocked(other),
        DeviceState.EnrolAgain(other), AgentEvent.OperationFinished(Operation.REVOKE),
        AgentEvent.IdentityChanged(identity().build(), identity().name("Lane 3").build()),
        AgentEvent.IdentityChanged(identity().name("Lane 3").build(), identity().name("Lane 2").build()),
        EventSuggestion.Switch(EventSelection("zoo")), ManagedOutcome.NotAllowed("p"), ManagedOutcome.TryLater(other), ManagedOutcome.Failed(other),
        ManagedKeys(), ManagedKeys(url = "u"), ManagedKeys(token = "t"), ManagedKeys(allowedServers = "a"),
    )

    @Test
    fun a_value_equals_another_one_made_of_the_same_and_no_other() {
        for ((first, one) in values().withIndex()) {
            for ((second, other) in values().withIndex()) {
                if (first == second) assertEquals(one, other) else assertNotEquals(one, other)
                if (first == second) assertEquals(one.hashCode(), other.hashCode(), "$one")
            }
        }
    }

    @Test
    fun each_field_of_an_identity_counts_and_is_kept_by_its_builder() {
        assertEquals(identity().build(), identity().build().toBuilder().build())
        val others = listOf(
            Identity.Builder("https://other.example").build(), identity().organizer("o").build(), identity().deviceId(2).build(),
            identity().uniqueSerial("B").build(), identity().name("n").build(), identity().securityProfile(null).build(),
            identity().gate(null).build(), identity().serverVersion(null).build(), identity().enrolledAtMillis(8).build(), identity().serverVersionNumeric(8).build(),
        )
        for (other in others) assertNotEquals(identity().build(), other)
        assertEquals("Gate(id=1, name=South, identifier=s)", "${Gate(1, "South", "s")}")
        assertEquals("NotEnrolled", "${DeviceState.NotEnrolled}")
    }
}
