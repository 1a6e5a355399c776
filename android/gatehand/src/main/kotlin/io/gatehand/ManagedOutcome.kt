package io.gatehand

import io.gatehand.internal.Fields

/**
 * What became of a managed configuration's enrolment.
 *
 * New outcomes may come; one that an app does not know needs no action of its own.
 */
public abstract class ManagedOutcome internal constructor() {
    /** What it consists of. */
    internal abstract val fields: Fields

    override fun equals(other: Any?): Boolean = other is ManagedOutcome && other.fields == fields

    override fun hashCode(): Int = fields.hashCode()

    /** All of it on one line, cleaned for a log. */
    override fun toString(): String = fields.toString()

    /** The app is not managed, or its configuration has no `url` and `token`. */
    public object NotConfigured : ManagedOutcome() {
        override val fields: Fields get() = Fields("NotConfigured")
    }

    /** The device is enrolled already, so no token is needed. */
    public object NotNeeded : ManagedOutcome() {
        override val fields: Fields get() = Fields("NotNeeded")
    }

    /** This token was redeemed or refused before. The management has to set a new one. */
    public object AlreadyUsed : ManagedOutcome() {
        override val fields: Fields get() = Fields("AlreadyUsed")
    }

    /**
     * The configuration's `allowed_servers` does not name the server that its `url` is for.
     *
     * @property origin What would have to be among them, as [Enrolment.exactOrigin].
     */
    public class NotAllowed(public val origin: String) : ManagedOutcome() {
        override val fields: Fields get() = Fields("NotAllowed", "origin" to origin)
    }

    /** The device was enrolled. */
    public object Enrolled : ManagedOutcome() {
        override val fields: Fields get() = Fields("Enrolled")
    }

    /**
     * The server was not reached, or something else is in the way that may pass, as a full disk; the
     * next [heartbeat][Agent.heartbeat] tries again.
     *
     * @property cause Why.
     */
    public class TryLater(public val cause: GatehandException) : ManagedOutcome() {
        override val fields: Fields get() = Fields("TryLater", "cause" to cause)
    }

    /**
     * The configuration can't be used, the server refused the token, or its certificate is not valid.
     *
     * @property cause Why.
     */
    public class Failed(public val cause: GatehandException) : ManagedOutcome() {
        override val fields: Fields get() = Fields("Failed", "cause" to cause)
    }
}
