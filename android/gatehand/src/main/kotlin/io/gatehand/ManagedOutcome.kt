package io.gatehand

/** What became of a managed configuration's enrolment. */
public sealed interface ManagedOutcome {
    /** The app is not managed, or its configuration has no `url` and `token`. */
    public data object NotConfigured : ManagedOutcome

    /** The device is enrolled already, so no token is needed. */
    public data object NotNeeded : ManagedOutcome

    /** This token was redeemed or refused before. The management has to set a new one. */
    public data object AlreadyUsed : ManagedOutcome

    /**
     * The configuration's `allowed_servers` does not name the server that its `url` is for.
     *
     * @property origin What would have to be among them, as [Enrolment.exactOrigin].
     */
    public data class NotAllowed(public val origin: String) : ManagedOutcome

    /** The device was enrolled. */
    public data object Enrolled : ManagedOutcome

    /**
     * The server was not reached, or something else is in the way that may pass, as a full disk; the
     * next [heartbeat][Agent.heartbeat] tries again.
     *
     * @property cause Why.
     */
    public class TryLater(public val cause: GatehandException) : ManagedOutcome

    /**
     * The configuration can't be used, the server refused the token, or its certificate is not valid.
     *
     * @property cause Why.
     */
    public class Failed(public val cause: GatehandException) : ManagedOutcome
}
