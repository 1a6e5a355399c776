package io.gatehand

import io.gatehand.internal.Fields

/**
 * What this device is to its server.
 *
 * New states may come: an app treats one that it does not know as a device that can make no call now, and goes on
 * with [heartbeats][Agent.heartbeat].
 */
public abstract class DeviceState internal constructor() {
    /** What it consists of. */
    internal abstract val fields: Fields

    override fun equals(other: Any?): Boolean = other is DeviceState && other.fields == fields

    override fun hashCode(): Int = fields.hashCode()

    /** All of it on one line, cleaned for a log. */
    override fun toString(): String = fields.toString()

    /** There is no identity: scan a code and call [Agent.initialize]. */
    public object NotEnrolled : DeviceState() {
        override val fields: Fields get() = Fields("NotEnrolled")
    }

    /**
     * A token was sent and its answer not read yet. [Agent.refresh], a request or a heartbeat, or
     * `initialize` with the same code, finishes it; nothing is lost.
     *
     * @property server Address of the server that it was sent to.
     */
    public class Enrolling(public val server: String) : DeviceState() {
        override val fields: Fields get() = Fields("Enrolling", "server" to server)
    }

    /**
     * The device is enrolled and its key at hand.
     *
     * @property identity Who it is.
     */
    public class Enrolled(public val identity: Identity) : DeviceState() {
        override val fields: Fields get() = Fields("Enrolled", "identity" to identity)
    }

    /**
     * The server says that the key is not valid. The key is kept, and every
     * [refresh][Agent.refresh] tries whether it is valid again.
     *
     * @property identity Who the device was.
     */
    public class Rejected(public val identity: Identity) : DeviceState() {
        override val fields: Fields get() = Fields("Rejected", "identity" to identity)
    }

    /**
     * The device's access was revoked. Its key is destroyed; only a new code makes it a device again.
     *
     * @property identity Who the device was.
     */
    public class Revoked(public val identity: Identity) : DeviceState() {
        override val fields: Fields get() = Fields("Revoked", "identity" to identity)
    }

    /**
     * The answer to an operation got lost, and the server can't repeat it any more.
     *
     * @property server Address of the server.
     * @property identity Who the device was, if it was enrolled before.
     * @property advice A sentence for the person at the device, in English: what to do. An app with
     *   other languages says it in its own words: a new code is needed.
     */
    public class AnswerLost(
        public val server: String,
        public val identity: Identity?,
        public val advice: String,
    ) : DeviceState() {
        override val fields: Fields get() = Fields("AnswerLost", "server" to server, "identity" to identity, "advice" to advice)
    }

    /**
     * The Android Keystore does not answer as it should, so the vault stays shut for now. Any
     * operation, such as [Agent.refresh], tries again. Nothing was deleted.
     *
     * @property cause Why.
     */
    public class VaultLocked(public val cause: VaultException) : DeviceState() {
        override val fields: Fields get() = Fields("VaultLocked", "cause" to cause)

        override fun toString(): String = "VaultLocked(${cause.code.id})"
    }

    /**
     * The key that opens the vault is gone for good, as after a reset of the device's credentials:
     * the device must be enrolled again. The vault is kept; [Agent.initialize] sets it aside.
     *
     * @property cause Why.
     */
    public class EnrolAgain(public val cause: VaultException) : DeviceState() {
        override val fields: Fields get() = Fields("EnrolAgain", "cause" to cause)

        override fun toString(): String = "EnrolAgain(${cause.code.id})"
    }
}
