package io.gatehand.internal

import io.gatehand.AgentEvent
import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.VaultException
import io.gatehand.internal.keystore.VaultKey
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.launch

/** The native library's agent behind a ScannerAgent: none while the vault can't be opened. */
internal class NativeAgent(private val setup: AgentSetup) : Observer {
    val state = MutableStateFlow<DeviceState>(DeviceState.NotEnrolled)
    val events = MutableSharedFlow<AgentEvent>(extraBufferCapacity = EVENTS, onBufferOverflow = BufferOverflow.DROP_OLDEST)

    private val proxy = NetworkProxy(setup.context)

    /** What was last told of it. */
    private var told: ByteArray? = null

    /** Held while files are opened and the Keystore is asked, but never while the app is told something. */
    private val lock = Any()

    /** Events in their order, off the native library's threads: whoever collects may take long. */
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.IO.limitedParallelism(1))

    @Volatile
    private var agent = 0L

    @Volatile
    private var closed = false

    /** Why the vault is not open. */
    @Volatile
    private var hindrance: DeviceState = DeviceState.NotEnrolled

    /** Counts hindrances downwards: what is less than any count of the native library. */
    @Volatile
    private var hindrances = 0L

    /** The count that [state] was read at, or after. */
    @Volatile
    private var seen = UNSEEN

    /**
     * Opens the vault, unless it is open. Blocks for files and the Keystore.
     *
     * @throws VaultException It is in use, can't be written or is too new. What only enrolling again
     *   or waiting can mend becomes a state.
     */
    fun open() {
        synchronized(lock) {
            if (idOrNone() == 0L) unlock(setup.keyFile.open(), setAside = false)
        }
        follow()
    }

    /** Sets a vault that can't be opened aside and makes a new one. Blocks for files and the Keystore. */
    fun startAnew() {
        synchronized(lock) {
            if (idOrNone() == 0L) unlock(setup.keyFile.replace(), setAside = true)
        }
        follow()
    }

    /**
     * The id of the open agent, or `null` while the vault is locked.
     *
     * @throws IllegalStateException The agent is closed.
     */
    fun openId(): Long? = idOrNone().takeIf { it != 0L }

    /**
     * The id of the open agent. Tries once more to open a vault that was locked.
     *
     * @throws IllegalStateException The agent is closed.
     * @throws VaultException The vault can't be opened.
     */
    fun id(): Long {
        if (idOrNone() == 0L) open()
        val id = agent
        if (id == 0L) throw lockedBy(hindrance) ?: closedError()
        return id
    }

    /** Whether the way to the device's server is what it was for the last call; costs next to nothing. */
    fun isWayKnown(): Boolean = ownServer()?.let(proxy::isKnown) ?: true

    /**
     * Has calls go by the proxy that the network has on the way to [server], or to the device's own. May ask a
     * service of Android's.
     *
     * @throws ConnectionException There is one that can't be used.
     */
    fun findWay(server: String? = null) {
        val target = server ?: ownServer() ?: return
        val id = id()
        synchronized(proxy) {
            proxy.watch()
            if (proxy.isKnown(target)) return
            val found = proxy.find(target)
            if (!found.contentEquals(told)) Native.useProxy(id, found)
            told = found
        }
    }

    private fun ownServer(): String? = when (val state = state.value) {
        is DeviceState.Enrolled -> state.identity.server
        is DeviceState.Rejected -> state.identity.server
        is DeviceState.Enrolling -> state.server
        is DeviceState.AnswerLost -> state.server
        else -> null
    }

    /** What the device is. Costs next to nothing unless it changed; then the vault is read. */
    fun status(): DeviceState {
        if (count(idOrNone()) != seen) tell()
        return state.value
    }

    /** Has [state] say what is so now, if that can be known. */
    fun follow() {
        try {
            status()
        } catch (_: VaultException) {
            // The next operation meets it too.
        } catch (_: IllegalStateException) {
            // Closed meanwhile.
        }
    }

    /** Waits for a vault that is just being opened. */
    fun close() {
        scope.cancel()
        synchronized(lock) {
            if (closed) return
            closed = true
            if (agent != 0L) Native.closeAgent(agent)
            proxy.close()
            agent = 0L
        }
    }

    override fun diagnostics(): ByteArray? = setup.diagnostics()

    override fun happened(event: ByteArray) {
        scope.launch {
            follow()
            Codec.event(event)?.let(events::tryEmit)
        }
    }

    /**
     * Reads what is so until nothing changes meanwhile. Without a lock, since some collectors are run
     * by whoever sets the state, and may wait for an operation that comes here too.
     */
    private fun tell() {
        do {
            val before = state.value
            val id = idOrNone()
            val count = count(id)
            val isTold = state.compareAndSet(before, if (id == 0L) hindrance else Codec.state(Native.state(id)))
            if (isTold) seen = count
        } while (!isTold || count(idOrNone()) != count)
    }

    private fun count(id: Long): Long = if (id == 0L) hindrances else Native.stateVersion(id)

    private fun idOrNone(): Long {
        val id = agent
        if (closed) throw closedError()
        return id
    }

    private fun unlock(key: VaultKey, setAside: Boolean) {
        when (key) {
            is VaultKey.Lost -> hinder(DeviceState.EnrolAgain(key.cause))
            is VaultKey.Unavailable ->
                if (key.cause.code == ErrorCode.KEYSTORE_UNAVAILABLE) hinder(DeviceState.VaultLocked(key.cause)) else throw key.cause
            is VaultKey.Ready -> try {
                agent = Native.openAgent(setup.config(setAside), key.bytes, this)
                told = null
                proxy.forget()
            } catch (error: VaultException) {
                if (error.code != ErrorCode.VAULT_DAMAGED) throw error
                hinder(DeviceState.EnrolAgain(error))
            } finally {
                key.bytes.fill(0)
            }
        }
    }

    private fun hinder(by: DeviceState) {
        hindrance = by
        hindrances--
    }

    private fun lockedBy(state: DeviceState?): VaultException? = when (state) {
        is DeviceState.EnrolAgain -> state.cause
        is DeviceState.VaultLocked -> state.cause
        else -> null
    }

    private fun closedError() = IllegalStateException("this ScannerAgent is closed: open another one")

    private companion object {
        const val EVENTS = 64
        const val UNSEEN = Long.MIN_VALUE
    }
}
