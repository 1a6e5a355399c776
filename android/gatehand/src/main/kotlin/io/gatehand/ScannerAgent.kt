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
import io.gatehand.internal.PlainHttp
import io.gatehand.internal.Requests
import io.gatehand.internal.awaitCall
import io.gatehand.internal.managed.ManagedConfiguration
import io.gatehand.internal.managed.ManagedEnrolment
import io.gatehand.internal.managed.ManagedTokens
import io.gatehand.internal.managed.isEnrolled
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
 * The agent of a device, with its vault in the app's folder: what is said of [Agent], through the native
 * library. An app opens one and keeps it for as long as the process lives.
 *
 * [open], [status], [addListener] and [close] may wait for a file; they say so.
 */
public class ScannerAgent private constructor(private val setup: AgentSetup) : Agent {
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

    override val state: StateFlow<DeviceState> = native.state.asStateFlow()

    override val events: Flow<AgentEvent> = native.events.asSharedFlow()

    override val managedOutcome: StateFlow<ManagedOutcome> = managed.asStateFlow()

    @Throws(GatehandException::class)
    override fun status(): DeviceState = native.status()

    @JvmSynthetic
    override suspend fun initialize(enrolment: ConfirmedEnrolment, replace: Boolean): Identity {
        refusePlainHttp(enrolment.enrolment.server) { EnrolmentCodeException(ErrorCode.ENROLMENT_INVALID, it) }
        makeRoom(replace)
        return operation(enrolment.enrolment.server) { agent, done -> Native.initialize(agent, Codec.encode(enrolment), replace, done) }
    }

    @JvmSynthetic
    override suspend fun adopt(existing: ExistingIdentity): Identity {
        refusePlainHttp(existing.server) { GatehandException(ErrorCode.ARGUMENT_INVALID, it) }
        // Before a vault is set aside for it.
        val publicKey = existing.mediaKeyAlias?.let { alias -> withContext(Dispatchers.IO) { setup.mediaKey(alias).takeOver() } }
        makeRoom(replace = false)
        return operation(existing.server) { agent, done -> Native.adopt(agent, Codec.encode(existing, publicKey), done) }
    }

    @JvmSynthetic
    override suspend fun refresh(): Identity = operation(start = Native::refresh)

    @JvmSynthetic
    override suspend fun report(): Identity = operation(start = Native::report)

    @JvmSynthetic
    override suspend fun roll(): Identity = operation(start = Native::roll)

    @JvmSynthetic
    override suspend fun revoke() {
        call(start = Native::revoke)
    }

    @JvmSynthetic
    override suspend fun eventSelection(current: EventSelection?): EventSuggestion =
        Codec.suggestion(call { agent, done -> Native.eventSelection(agent, Codec.encode(current), done) })

    @JvmSynthetic
    override suspend fun mediumKeySets(): MediumKeySets = withContext(Dispatchers.IO) {
        val mediaKey = setup.mediaKey(Native.mediaKeyAlias(id())?.decodeToString())
        val publicKey = mediaKey.publicKeyPem()?.encodeToByteArray()
        val sets = call { agent, done -> Native.mediumKeySets(agent, publicKey, done) }
        Codec.mediumKeySets(sets, mediaKey::decrypt)
    }

    @JvmSynthetic
    override suspend fun request(request: ApiRequest): ApiResponse =
        Requests.request(id().also { findWay() }, request, setup.config.timeLimitMillis)

    @JvmSynthetic
    override suspend fun stream(request: ApiRequest): StreamedResponse = Requests.stream(id().also { findWay() }, request)

    /** The same on a thread that waits, where that can be; else `null`. */
    internal fun requestHere(request: ApiRequest, isWanted: () -> Boolean): ApiResponse? =
        if (Requests.isOneThreads(request)) Requests.requestHere(idHere(), request, isWanted) else null

    /** The same as [requestHere] for [stream]. */
    internal fun streamHere(request: ApiRequest, isWanted: () -> Boolean): StreamedResponse? =
        if (Requests.isOneThreads(request)) Requests.streamHere(idHere(), request, isWanted) else null

    private fun idHere(): Long {
        val id = native.openId() ?: native.id()
        if (!native.isWayKnown()) native.findWay()
        return id
    }

    @JvmSynthetic
    override suspend fun heartbeat(): Heartbeat =
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

    @Throws(GatehandException::class)
    override fun addListener(executor: Executor, listener: AgentListener): Subscription {
        status()
        val dispatcher = executor.asCoroutineDispatcher()
        val listening = scope.launch(dispatcher) {
            launch { events.collect(listener::onEvent) }
            state.collect(listener::onState)
        }
        return Subscription { listening.cancel() }
    }

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
        val configured = suspend { withContext(Dispatchers.IO) { ManagedConfiguration.read(setup.context, setup.config.managedKeys) } }
        val enrolment = ManagedEnrolment(configured, ManagedTokens(setup.folder), Enrolment::of, ::status) { initialize(it) }
        return managedOnce.withLock { enrolment.run().also { managed.value = it } }
    }

    /** An operation after which the device is enrolled. */
    private suspend fun operation(server: String? = null, start: (Long, Completion) -> Long): Identity {
        val done = Codec.state(call(server, start))
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

    /** A call to [server], or to the device's own. */
    private suspend fun call(server: String? = null, start: (Long, Completion) -> Long): ByteArray {
        val agent = id()
        return withContext(Dispatchers.IO) {
            native.findWay(server)
            try {
                awaitCall { start(agent, it) }
            } finally {
                native.follow()
            }
        }.result
    }

    private fun refusePlainHttp(server: String, refused: (String) -> GatehandException) {
        if (setup.config.allowHttp) PlainHttp.refusal(server)?.let { throw refused(it) }
    }

    private suspend fun findWay() {
        if (!native.isWayKnown()) withContext(Dispatchers.IO) { native.findWay() }
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
