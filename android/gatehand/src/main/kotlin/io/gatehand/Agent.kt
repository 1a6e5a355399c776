package io.gatehand

import java.io.Closeable
import java.util.concurrent.Executor
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow

/**
 * The agent of one device: enrols it, keeps its key, and makes calls with it. [ScannerAgent.open] opens
 * one; for an app's own tests there is `FakeAgent`, in the artifact `gatehand-fake`.
 *
 * An app calls this and does not implement it, as it may get further operations.
 *
 * Every suspending operation may be called from any thread, the main one too; none blocks it.
 * Cancelling a coroutine cancels what it waits for, but never loses the device: an operation on its
 * identity is written down before it is sent, and finished by the next [refresh], or after a restart.
 * [status], [addListener] and [close] may wait for a file; they say so.
 *
 * Every operation throws [IllegalStateException] after [close], and may throw a [VaultException] if
 * the vault can't be used, a [DeviceStateException] if what the device is does not allow it, a
 * [RefusedException] if the server says no and a [ConnectionException] if it does not say anything.
 * What else it throws is said at each. Apps in Java find the same operations in [blocking], and hear
 * of changes by [addListener].
 */
public interface Agent : Closeable {
    /** What this device is to its server, now and with each change. */
    public val state: StateFlow<DeviceState>

    /** What happens to the device. Only what happens while it is collected is seen. */
    public val events: Flow<AgentEvent>

    /** What became of a managed configuration's enrolment, if there is one. */
    public val managedOutcome: StateFlow<ManagedOutcome>

    /**
     * What this device is to its server, and so is [state] from now on. Costs next to nothing and may be
     * called on the main thread; only after a change it reads the vault's file, for a few milliseconds.
     *
     * @throws VaultException The vault can't be read any more.
     */
    @Throws(GatehandException::class)
    public fun status(): DeviceState

    /**
     * Makes this a device of the server: redeems the token, and keeps the key that it brings.
     *
     * If no answer came, call it again with the same code, however much later: it goes on where it
     * stopped, and the token is not lost. In the state [DeviceState.EnrolAgain] the old vault is set
     * aside first.
     *
     * @param enrolment What the person at the device has agreed to.
     * @param replace Gives up an identity that is there, an unfinished enrolment, or a vault that is
     *   [locked][DeviceState.VaultLocked]. A device that is given up stays active on its server, until
     *   someone revokes it there.
     * @throws EnrolmentCodeException The server's address is `http://` on another machine, which is
     *   only taken with [AgentConfig.Builder.allowHttp].
     * @throws DeviceStateException The device is enrolled, or another code's enrolment unfinished, and
     *   nothing was said to be replaced; or the token was used up and its answer is lost.
     * @throws RefusedException The server does not take the token ([ErrorCode.TOKEN_REFUSED]), or refused
     *   for another reason, which leaves the token as it is.
     * @throws ConnectionException The server was not reached or did not answer. Call it again.
     * @throws VaultException The vault can't be used, or the enrolment can't be written down.
     */
    @JvmSynthetic
    public suspend fun initialize(enrolment: ConfirmedEnrolment, replace: Boolean = false): Identity

    /**
     * Takes a key that the app already has into the vault, once the server has confirmed it, so that a
     * device that an earlier version of the app enrolled stays the same device. To be called while
     * [state] is [DeviceState.NotEnrolled]; in [DeviceState.EnrolAgain] the old vault is set aside first.
     *
     * The app keeps its own copy of the key until this has returned, and deletes it then. If it ended
     * before it came to that, the same call with the same key returns the identity again. A [roll]
     * afterwards makes every old copy worthless.
     *
     * With [ExistingIdentity.mediaKeyAlias] the app's RSA key is adopted too, which [mediumKeySets] uses from then on.
     * It is tried out first, and the server is told of it in a report of this device: if either refuses it, nothing
     * is adopted. A device that was adopted without it gets it by the same call, while its key is still the same.
     *
     * @throws GatehandException The address can't be used ([ErrorCode.ARGUMENT_INVALID]).
     * @throws DeviceStateException The device is enrolled with another key, or an enrolment is unfinished.
     * @throws RefusedException The server does not know the key ([ErrorCode.REJECTED]), has revoked the
     *   device's access ([ErrorCode.REVOKED]), or knows the key as another device's than
     *   [ExistingIdentity.uniqueSerial] says ([ErrorCode.OTHER_DEVICE]). Any of these needs a new code.
     *   [ErrorCode.REFUSED] may be a gateway's, and pass. With [ErrorCode.OTHER_MEDIA_KEY] it is the RSA key that the
     *   server does not take, as it keeps another one.
     * @throws ConnectionException The server was not reached or did not answer. Call it again.
     * @throws VaultException The vault can't be used. Or the RSA key: there is none of this name
     *   ([ErrorCode.KEY_LOST]), it is not fit for this ([ErrorCode.MEDIA_KEY_UNUSABLE]), or the Keystore can't be
     *   asked now ([ErrorCode.KEYSTORE_UNAVAILABLE]), which passes. In the first two cases the device can be adopted
     *   without it, and NFC media need a new device.
     */
    @JvmSynthetic
    public suspend fun adopt(existing: ExistingIdentity): Identity

    /**
     * Finishes what was begun, tells the server what changed of the device and, once an hour, how it is doing, and
     * asks it what it knows. Apps that sync call it with each download.
     *
     * @throws DeviceStateException There is no identity, or the answer that held its key is lost.
     * @throws RefusedException The key is not valid now ([ErrorCode.REJECTED]), the device's access was
     *   revoked ([ErrorCode.REVOKED]), or the server tells of another device ([ErrorCode.OTHER_DEVICE]).
     * @throws ConnectionException The server was not reached or did not answer.
     * @throws VaultException The vault can't be used.
     */
    @JvmSynthetic
    public suspend fun refresh(): Identity

    /**
     * Reports now what the device is and how it is doing: battery, storage, Wi-Fi and uptime, unless that is
     * [turned off][AgentConfig.Builder.diagnostics]. By itself the agent reports before a call what has changed of
     * the device, and after one how it is doing, if the last report is an hour old.
     *
     * @throws DeviceStateException There is no identity.
     * @throws RefusedException The server refused, or the key is not valid now.
     * @throws ConnectionException No answer came. The report is sent again with the next call.
     * @throws VaultException The vault can't be used.
     */
    @JvmSynthetic
    public suspend fun report(): Identity

    /**
     * Exchanges the key for a new one. The old one is dead at once.
     *
     * @throws DeviceStateException There is no identity.
     * @throws RefusedException The server refused; the key stays.
     * @throws ConnectionException No answer came. Call it again, or [refresh]: either finishes it.
     * @throws VaultException The vault can't be used.
     */
    @JvmSynthetic
    public suspend fun roll(): Identity

    /**
     * Gives the device's access up, for good. Its key is destroyed.
     *
     * @throws DeviceStateException There is no identity.
     * @throws RefusedException The server refused; the device stays.
     * @throws ConnectionException No answer came. Call it again, or [refresh]: either finishes it.
     * @throws VaultException The vault can't be used.
     */
    @JvmSynthetic
    public suspend fun revoke()

    /**
     * Asks what to scan for now.
     *
     * @param current What the device scans for, if anything; its [name][EventSelection.eventName] is not
     *   needed.
     * @throws DeviceStateException There is no identity.
     * @throws RefusedException The server refused.
     * @throws ConnectionException The server was not reached or did not answer.
     * @throws VaultException The vault can't be used.
     */
    @JvmSynthetic
    public suspend fun eventSelection(current: EventSelection? = null): EventSuggestion

    /**
     * The keys of the organizer's NFC media. The RSA key pair they are encrypted to is made at the
     * first call, in the Android Keystore where it can be, unless it was [adopted][ExistingIdentity.mediaKeyAlias].
     *
     * What the server tells is kept, encrypted as it came and sealed in the vault, also of each [refresh]. While the
     * server is away that is returned, and [MediumKeySets.asOfMillis] and [MediumKeySets.unasked] say so. An app
     * that has called this once therefore reads media offline, after a restart too; with something to fall back to
     * the server has five seconds to answer. The sets are destroyed with the device's key; [roll] keeps them.
     *
     * @throws DeviceStateException There is no identity.
     * @throws RefusedException The server refused, which no set of the vault makes up for.
     * @throws ConnectionException The server was not reached or did not answer, and has told nothing before.
     * @throws VaultException The vault can't be used; or, with [ErrorCode.KEY_LOST], the pair is gone that
     *   the server encrypts the keys to. All else goes on working then, but NFC media need a new device. With
     *   [ErrorCode.KEYSTORE_UNAVAILABLE] the pair can't be asked now.
     */
    @JvmSynthetic
    public suspend fun mediumKeySets(): MediumKeySets

    /**
     * Makes a call of the server's API with the device's key. Any status is an answer, not an error; only
     * a 401 that the server confirms is one, as the key is not valid then. What answers in the server's
     * place, as a network's login page, is an answer too: where JSON is due, look at `Content-Type`.
     *
     * The call is sent again after a lost connection, and after 429, 502, 503, 504 and a 409 that says
     * when: whatever its method, for what changes something is sent with an idempotency key, under which
     * the server repeats its answer instead of doing the thing twice. That ends when less of the time limit
     * is left than a connection may take, which is [AgentConfig.connectTimeoutMillis] or half of the limit;
     * the last such status is the answer then. The limit is a minute unless said: set
     * [ApiRequest.Builder.timeLimit] to a few seconds where a person waits.
     *
     * Each call has a key of its own. An app that makes a call again later, as from a queue of its own,
     * therefore sets [ApiRequest.Builder.idempotencyKey] to one that it keeps with the call. For a server
     * that may not know such keys there is [ApiRequest.Builder.once]. A body that is a stream is never
     * sent again once its first byte is on the way; one of [ApiBody.file] or [ApiBody.source] is opened anew.
     *
     * The answer is held in memory, up to 32 MiB: use [stream] for more.
     *
     * @throws GatehandException The request is none that can be made: [ErrorCode.ARGUMENT_INVALID], as for
     *   a path that leads to another server. The answer does not fit: [ErrorCode.ANSWER_TOO_LARGE]. The
     *   body's stream failed: [ErrorCode.BODY_FAILED].
     * @throws DeviceStateException There is no identity.
     * @throws RefusedException The key is not valid now, or the device's access was revoked.
     * @throws ConnectionException The server was not reached, or did not answer in time.
     * @throws VaultException The vault can't be used.
     */
    @JvmSynthetic
    public suspend fun request(request: ApiRequest): ApiResponse

    /**
     * Makes a call whose answer is too large for memory: its body is read from the network, and has no
     * limit. Otherwise than [request] it is sent once and never again. The time limit is for the time
     * until the answer begins, with that for sending; [ApiRequest.Builder.timeLimit] may be more than the agent's here.
     * Each piece of the answer then has as long again, but no more than [AgentConfig.readTimeoutMillis], or what
     * [ApiRequest.Builder.readTimeout] says.
     *
     * Reading the body throws a [ConnectionException] if the connection broke or was too slow.
     *
     * @throws GatehandException As [request].
     * @throws DeviceStateException There is no identity.
     * @throws RefusedException The key is not valid now, or the device's access was revoked.
     * @throws ConnectionException The server was not reached, or did not answer in time.
     * @throws VaultException The vault can't be used.
     */
    @JvmSynthetic
    public suspend fun stream(request: ApiRequest): StreamedResponse

    /**
     * What a background worker does every now and then: redeems a managed configuration, finishes
     * what was begun and [refreshes][refresh]. What fails is in what it returns; it throws nothing but
     * cancellation, and [IllegalStateException] after [close]. The worker uses the process's one agent.
     */
    @JvmSynthetic
    public suspend fun heartbeat(): Heartbeat

    /** The same operations for callers that may block, as Java has them. */
    public fun blocking(): BlockingAgent = BlockingAgent(this)

    /**
     * Tells [listener] of the state now and of each change and event, on [executor]. May be called on the
     * main thread; as [status], it may read the vault's file. Closing the agent ends it without a word.
     *
     * @return Closing it ends that.
     * @throws VaultException The vault can't be read any more.
     */
    @Throws(GatehandException::class)
    public fun addListener(executor: Executor, listener: AgentListener): Subscription

    /**
     * Ends what is under way and closes the vault. Closing twice is fine. Waits for a vault that is just
     * being opened, which may ask the Keystore; else it may be called on the main thread.
     */
    override fun close()
}

/** Something that goes on until it is closed. */
public fun interface Subscription : Closeable {
    /** Ends it; more than once is fine. */
    override fun close()
}

/** Hears of a device's states and events; for Java. Each method may be left out. */
public interface AgentListener {
    /** The device is [state] now. */
    public fun onState(state: DeviceState) {}

    /** [event] happened. */
    public fun onEvent(event: AgentEvent) {}
}
