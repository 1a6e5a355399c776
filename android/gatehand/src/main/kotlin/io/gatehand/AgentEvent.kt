package io.gatehand

/** What happened to the device, for logs and hints on the screen. [ScannerAgent.state] says what it is. */
public sealed interface AgentEvent {
    /**
     * The server said something new of this device: a name, gate, security profile or version.
     *
     * @property before Who the device was.
     * @property after Who it is.
     */
    @ConsistentCopyVisibility
    public data class IdentityChanged internal constructor(
        public val before: Identity,
        public val after: Identity,
    ) : AgentEvent

    /** The server acknowledged what this device reports of itself. */
    public data object ReportAcknowledged : AgentEvent

    /** The device has a new key; the old one is dead. */
    public data object KeyRolled : AgentEvent

    /**
     * What was begun before the last start, or before an answer got lost, is finished now.
     *
     * @property operation `initialize`, `update`, `roll` or `revoke`.
     */
    @ConsistentCopyVisibility
    public data class OperationFinished internal constructor(public val operation: String) : AgentEvent
}
