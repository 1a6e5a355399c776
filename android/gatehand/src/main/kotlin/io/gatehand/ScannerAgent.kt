package io.gatehand

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import io.gatehand.internal.AgentSetup
import io.gatehand.internal.Codec
import io.gatehand.internal.Completion
import io.gatehand.internal.Native
import io.gatehand.internal.NativeAgent
import io.gatehand.internal.NativeLibrary
import io.gatehand.internal.OpenVaults
import io.gatehand.internal.Requests
import io.gatehand.internal.awaitCall
import io.gatehand.internal.managed.ManagedConfiguration
import io.gatehand.internal.managed.ManagedEnrolment
import io.gatehand.internal.managed.ManagedTokens
import io.gatehand.internal.managed.isEnrolled
import java.io.Closeable
import java.util.concurrent.Executor
import java.util.concurrent.atomic.AtomicBoolean
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asSharedFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/**
 * The agent of one device: enrols it, keeps its key, and makes calls with it. An app opens one and
 * keeps it for as long as the process lives.
 *
 * Every suspending operation may be called from any thread, the main one too; none blocks it.
 * Cancelling a coroutine cancels what it waits for, but never loses the device: an operation on its
 * identity is written down before it is sent, and finished by the next [refresh], or after a restart.
 * [open], [status], [addListener] and [close] may wait for a file; they say so.
 *
 * Every operation throws [IllegalStateException] after [close], and may throw a [VaultException] if
 * the vault can't be used, a [DeviceStateException] if what the device is does not allow it, a
 * [RefusedException] if the server says no and a [ConnectionException] if it does not say anything.
 * What else it throws is said at each. Apps in Java find the same operations in [blocking], and hear
 * of changes by [addListener].
 */
public class ScannerAgent private constructor(private val setup: AgentSetup) : Closeable {
    private val native = NativeAgent(setup)
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val managed = MutableStateFlow<ManagedOutcome>(ManagedOutcome.NotConfigured)
    private val managedOnce = Mutex()
    private val closed = AtomicBoolean()
    private val restrictionsChanged = object : BroadcastReceiver() {
        override fun onReceive(context: Context, intent: Intent) {
            enrolManagedSoon()
        }
    }

    /** What this device is to its server, now and with each change. */
    public val state: StateFlow<DeviceState> = native.state.asStateFlow()

    /** What happens to the device. Only what happens while it is collected is seen. */
    public val events: Flow<AgentEvent> = native.events.asSharedFlow()

    /** What became of a managed configuration's enrolment, if there is one. */
    public val managedOutcome: StateFlow<ManagedOutcome> = managed.asStateFlow()

    /**
     * What this device is to its server, and so is [state] from now on. Costs next to nothing and may be
     * called on the main thread; only after a change it reads the vault's file, for a few milliseconds.
     *
     * @throws VaultException The vault can't be read any more.
     */
    public fun status(): DeviceState = native.status()

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
    public suspend fun initialize(enrolment: ConfirmedEnrolment, replace: Boolean = false): Identity {
        makeRoom(replace)
        return operation { agent, done -> Native.initialize(agent, Codec.encode(enrolment), setup.report(), replace, done) }
    }

    /**
     * Takes a key that the app already has into the vault, once the server has confirmed it, so that a
     * device that an earlier version of the app enrolled stays the same device. To be called while
     * [state] is [DeviceState.NotEnrolled]; in [DeviceState.EnrolAgain] the old vault is set aside first.
     *
     * The app keeps its own copy of the key until this has returned, and deletes it then. If it ended
     * before it came to that, the same call with the same key returns the identity again. A [roll]
     * afterwards makes every old copy worthless.
     *
     * @throws GatehandException The address can't be used ([ErrorCode.ARGUMENT_INVALID]).
     * @throws DeviceStateException The device is enrolled with another key, or an enrolment is unfinished.
     * @throws RefusedException The server does not know the key ([ErrorCode.REJECTED]), has revoked the
     *   device's access ([ErrorCode.REVOKED]), or knows the key as another device's than
     *   [ExistingIdentity.uniqueSerial] says ([ErrorCode.OTHER_DEVICE]). Any of these needs a new code.
     *   [ErrorCode.REFUSED] may be a gateway's, and pass.
     * @throws ConnectionException The server was not reached or did not answer. Call it again.
     * @throws VaultException The vault can't be used.
     */
    @JvmSynthetic
    public suspend fun adopt(existing: ExistingIdentity): Identity {
        makeRoom(replace = false)
        return operation { agent, done -> Native.adopt(agent, Codec.encode(existing), setup.report(), done) }
    }

    /**
     * Finishes what was begun, tells the server what changed of the device, and asks it what it
     * knows. Apps that sync call it with each download.
     *
     * @throws DeviceStateException There is no identity, or the answer that held its key is lost.
     * @throws RefusedException The key is not valid now ([ErrorCode.REJECTED]), the device's access was
     *   revoked ([ErrorCode.REVOKED]), or the server tells of another device ([ErrorCode.OTHER_DEVICE]).
     * @throws ConnectionException The server was not reached or did not answer.
     * @throws VaultException The vault can't be used.
     */
    @JvmSynthetic
    public suspend fun refresh(): Identity =
        operation { agent, done -> Native.refresh(agent, setup.report(), done) }

    /**
     * Exchanges the key for a new one. The old one is dead at once.
     *
     * @throws DeviceStateException There is no identity.
     * @throws RefusedException The server refused; the key stays.
     * @throws ConnectionException No answer came. Call it again, or [refresh]: either finishes it.
     * @throws VaultException The vault can't be used.
     */
    @JvmSynthetic
    public suspend fun roll(): Identity = operation(Native::roll)

    /**
     * Gives the device's access up, for good. Its key is destroyed.
     *
     * @throws DeviceStateException There is no identity.
     * @throws RefusedException The server refused; the device stays.
     * @throws ConnectionException No answer came. Call it again, or [refresh]: either finishes it.
     * @throws VaultException The vault can't be used.
     */
    @JvmSynthetic
    public suspend fun revoke() {
        call(Native::revoke)
    }

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
    public suspend fun eventSelection(current: EventSelection? = null): EventSuggestion =
        Codec.suggestion(call { agent, done -> Native.eventSelection(agent, Codec.encode(current), done) })

    /**
     * The keys of the organizer's NFC media. The RSA key pair they are encrypted to is made at the
     * first call, in the Android Keystore where it can be.
     *
     * @throws DeviceStateException There is no identity.
     * @throws RefusedException The server refused.
     * @throws ConnectionException The server was not reached or did not answer.
     * @throws VaultException The vault can't be used; or, with [ErrorCode.KEY_LOST], the pair is gone that
     *   the server encrypts the keys to. All else goes on working then, but NFC media need a new device. With
     *   [ErrorCode.KEYSTORE_UNAVAILABLE] the pair can't be asked now.
     */
    @JvmSynthetic
    public suspend fun mediumKeySets(): List<MediumKeySet> = withContext(Dispatchers.IO) {
        val publicKey = setup.mediaKey.publicKeyPem()?.encodeToByteArray()
        val sets = call { agent, done -> Native.mediumKeySets(agent, publicKey, done) }
        Codec.mediumKeySets(sets, setup.mediaKey::decrypt)
    }

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
     * sent again once its first byte is on the way.
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
    public suspend fun request(request: ApiRequest): ApiResponse = Requests.request(id(), request)

    /**
     * Makes a call whose answer is too large for memory: its body is read from the network, and has no
     * limit. Otherwise than [request] it is sent once and never again. The time limit is for the time
     * until the answer begins; each piece of it then has as long again, but no more than 30 seconds.
     *
     * Reading the body throws an [IOException][java.io.IOException], whose cause is the
     * [GatehandException] if the connection broke or was too slow.
     *
     * @throws GatehandException As [request].
     * @throws DeviceStateException There is no identity.
     * @throws RefusedException The key is not valid now, or the device's access was revoked.
     * @throws ConnectionException The server was not reached, or did not answer in time.
     * @throws VaultException The vault can't be used.
     */
    @JvmSynthetic
    public suspend fun stream(request: ApiRequest): StreamedResponse = Requests.stream(id(), request)

    /**
     * What a background worker does every now and then: redeems a managed configuration, finishes
     * what was begun and [refreshes][refresh]. What fails is in what it returns; it throws nothing but
     * cancellation, and [IllegalStateException] after [close]. The worker uses the process's one agent.
     */
    @JvmSynthetic
    public suspend fun heartbeat(): Heartbeat =
        try {
            val outcome = enrolManaged()
            if (outcome is ManagedOutcome.TryLater && !look().isEnrolled()) {
                Heartbeat.TRY_LATER
            } else {
                refresh()
                Heartbeat.DONE
            }
        } catch (error: GatehandException) {
            if (error.isTemporary) Heartbeat.TRY_LATER else Heartbeat.NEEDS_PERSON
        }

    /** The same operations for callers that may block, as Java has them. */
    public fun blocking(): BlockingAgent = BlockingAgent(this)

    /**
     * Tells [listener] of the state now and of each change and event, on [executor]. May be called on the
     * main thread; as [status], it may read the vault's file. Closing the agent ends it without a word.
     *
     * @return Closing it ends that.
     */
    public fun addListener(executor: Executor, listener: AgentListener): Subscription {
        status()
        val dispatcher = executor.asCoroutineDispatcher()
        val listening = scope.launch(dispatcher) {
            launch { events.collect(listener::onEvent) }
            state.collect(listener::onState)
        }
        return Subscription { listening.cancel() }
    }

    /**
     * Ends what is under way and closes the vault. Closing twice is fine. Waits for a vault that is just
     * being opened, which may ask the Keystore; else it may be called on the main thread.
     */
    override fun close() {
        // What another agent has opened since is not this one's to release.
        if (!closed.compareAndSet(false, true)) return
        if (setup.config.managedConfiguration) setup.context.unregisterReceiver(restrictionsChanged)
        scope.cancel()
        native.close()
        OpenVaults.release(setup.folder)
    }

    private fun enrolManagedSoon() {
        scope.launch {
            try {
                enrolManaged()
            } catch (_: IllegalStateException) {
                // Closed meanwhile, which nobody waits to hear.
            }
        }
    }

    private suspend fun enrolManaged(): ManagedOutcome {
        if (!setup.config.managedConfiguration) return ManagedOutcome.NotConfigured
        val configured = suspend { withContext(Dispatchers.IO) { ManagedConfiguration.read(setup.context) } }
        val enrolment = ManagedEnrolment(configured, ManagedTokens(setup.folder), Enrolment::of, ::status) { initialize(it) }
        return managedOnce.withLock { enrolment.run().also { managed.value = it } }
    }

    /** An operation after which the device is enrolled. */
    private suspend fun operation(start: (Long, Completion) -> Long): Identity {
        val done = Codec.state(call(start))
        return (done as? DeviceState.Enrolled)?.identity
            ?: throw GatehandException(ErrorCode.INTERNAL, "the operation ended in another state than enrolled")
    }

    /** The state, read off a thread that may be the main one. */
    private suspend fun look(): DeviceState = withContext(Dispatchers.IO) { status() }

    /** Sets a vault aside that can't be opened, for an enrolment that begins anew. */
    private suspend fun makeRoom(replace: Boolean) {
        withContext(Dispatchers.IO) {
            // A vault that can't be read is what `replace` is for, too.
            native.follow()
            val before = state.value
            if (before is DeviceState.EnrolAgain || (replace && before is DeviceState.VaultLocked)) native.startAnew()
        }
    }

    private suspend fun call(start: (Long, Completion) -> Long): ByteArray {
        val agent = id()
        return withContext(Dispatchers.IO) {
            try {
                awaitCall { start(agent, it) }
            } finally {
                native.follow()
            }
        }.result
    }

    // A call does not change threads for what is open already: that would cost more than all else here.
    private suspend fun id(): Long = native.openId() ?: withContext(Dispatchers.IO) { native.id() }

    /** Opens agents. */
    public companion object {
        /**
         * Opens the agent, and its vault in the app's folder that is not backed up. Makes the vault at
         * the first start. Reads files and asks the Keystore, so call it off the main thread.
         *
         * A vault whose key the Keystore has lost, or does not give now, is no exception but a
         * [state], so that the app starts and can say so.
         *
         * @throws NativeLibraryException The native library is missing or does not fit.
         * @throws VaultException Another agent of this app has the vault, or it can't be written, or is
         *   too new. Keep one agent for the process.
         */
        @JvmStatic
        @Throws(GatehandException::class)
        public fun open(context: Context, config: AgentConfig): ScannerAgent {
            NativeLibrary.load()
            val setup = AgentSetup(context.applicationContext ?: context, config)
            OpenVaults.claim(setup.folder)
            try {
                val agent = ScannerAgent(setup)
                try {
                    agent.native.open()
                    agent.start()
                    return agent
                } catch (error: Throwable) {
                    agent.native.close()
                    throw error
                }
            } catch (error: Throwable) {
                OpenVaults.release(setup.folder)
                throw error
            }
        }
    }

    private fun start() {
        if (!setup.config.managedConfiguration) return
        setup.context.registerReceiver(restrictionsChanged, IntentFilter(Intent.ACTION_APPLICATION_RESTRICTIONS_CHANGED))
        enrolManagedSoon()
    }
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
