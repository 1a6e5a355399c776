package io.gatehand

/** What happened to the device, for logs and hints on the screen. [Agent.state] says what it is. */
public sealed interface AgentEvent {
    /**
     * The server said something new of this device: a name, gate, security profile or version.
     *
     * @property before Who the device was.
     * @property after Who it is.
     */
    public data class IdentityChanged(
        public val before: Identity,
        public val after: Identity,
    ) : AgentEvent

    /** The server acknowledged what this device reports of itself. */
    public data object ReportAcknowledged : AgentEvent

    /** The device has a new key; the old one is dead. */
    public data object KeyRolled : AgentEvent

    /**
     * An operation is done: one that was just called, or that was begun before the last start or before an
     * answer got lost.
     *
     * @property operation Which one.
     */
    public data class OperationFinished(public val operation: Operation) : AgentEvent
}

/** What changes a device at its server, and is finished later if it was cut short. */
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
