package io.gatehand

import io.gatehand.internal.Fields

/**
 * What happened to the device, for logs and hints on the screen. [Agent.state] says what it is.
 *
 * New events may come; one that an app does not know is nothing to it.
 */
public abstract class AgentEvent internal constructor() {
    /** What it consists of. */
    internal abstract val fields: Fields

    override fun equals(other: Any?): Boolean = other is AgentEvent && other.fields == fields

    override fun hashCode(): Int = fields.hashCode()

    /** All of it on one line, cleaned for a log. */
    override fun toString(): String = fields.toString()

    /**
     * The server said something new of this device: a name, gate, security profile or version.
     *
     * @property before Who the device was.
     * @property after Who it is.
     */
    public class IdentityChanged(
        public val before: Identity,
        public val after: Identity,
    ) : AgentEvent() {
        override val fields: Fields get() = Fields("IdentityChanged", "before" to before, "after" to after)
    }

    /** The server acknowledged what this device reports of itself. */
    public object ReportAcknowledged : AgentEvent() {
        override val fields: Fields get() = Fields("ReportAcknowledged")
    }

    /** The device has a new key; the old one is dead. */
    public object KeyRolled : AgentEvent() {
        override val fields: Fields get() = Fields("KeyRolled")
    }

    /**
     * An operation is done: one that was just called, or that was begun before the last start or before an
     * answer got lost.
     *
     * @property operation Which one.
     */
    public class OperationFinished(public val operation: Operation) : AgentEvent() {
        override val fields: Fields get() = Fields("OperationFinished", "operation" to operation)
    }
}

/** What changes a device at its server, and is finished later if it was cut short. New operations may come. */
public enum class Operation {
    /** Redeems a token, or takes a key over. */
    INITIALIZE,

    /** Reports what the device is. */
    UPDATE,

    /** Exchanges the key. */
    ROLL,

    /** Gives the device's access up. */
    REVOKE,
}
