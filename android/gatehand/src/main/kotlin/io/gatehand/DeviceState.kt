package io.gatehand

/** What this device is to its server. */
public sealed interface DeviceState {
    /** There is no identity: scan a code and call [Agent.initialize]. */
    public data object NotEnrolled : DeviceState

    /**
     * A token was sent and its answer not read yet. [Agent.refresh], a request or a heartbeat, or
     * `initialize` with the same code, finishes it; nothing is lost.
     *
     * @property server Address of the server that it was sent to.
     */
    public data class Enrolling(public val server: String) : DeviceState

    /**
     * The device is enrolled and its key at hand.
     *
     * @property identity Who it is.
     */
    public data class Enrolled(public val identity: Identity) : DeviceState

    /**
     * The server says that the key is not valid. The key is kept, and every
     * [refresh][Agent.refresh] tries whether it is valid again.
     *
     * @property identity Who the device was.
     */
    public data class Rejected(public val identity: Identity) : DeviceState

    /**
     * The device's access was revoked. Its key is destroyed; only a new code makes it a device again.
     *
     * @property identity Who the device was.
     */
    public data class Revoked(public val identity: Identity) : DeviceState

    /**
     * The answer to an operation got lost, and the server can't repeat it any more.
     *
     * @property server Address of the server.
     * @property identity Who the device was, if it was enrolled before.
     * @property advice A sentence for the person at the device, in English: what to do. An app with
     *   other languages says it in its own words: a new code is needed.
     */
    public data class AnswerLost(
        public val server: String,
        public val identity: Identity?,
        public val advice: String,
    ) : DeviceState

    /**
     * The Android Keystore does not answer as it should, so the vault stays shut for now. Any
     * operation, such as [Agent.refresh], tries again. Nothing was deleted.
     *
     * @property cause Why.
     */
    public class VaultLocked(public val cause: VaultException) : DeviceState {
        override fun toString(): String = "VaultLocked(${cause.code.id})"
    }

    /**
     * The key that opens the vault is gone for good, as after a reset of the device's credentials:
     * the device must be enrolled again. The vault is kept; [Agent.initialize] sets it aside.
     *
     * @property cause Why.
     */
    public class EnrolAgain(public val cause: VaultException) : DeviceState {
        override fun toString(): String = "EnrolAgain(${cause.code.id})"
    }
}
