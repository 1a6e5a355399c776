package io.gatehand.internal

import io.gatehand.AgentEvent
import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.VaultException
import io.gatehand.internal.keystore.VaultKey
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.MutableStateFlow

/** The native library's agent behind a ScannerAgent: none while the vault can't be opened. */
internal class NativeAgent(private val setup: AgentSetup) : Observer {
    val state = MutableStateFlow<DeviceState>(DeviceState.NotEnrolled)
    val events = MutableSharedFlow<AgentEvent>(extraBufferCapacity = EVENTS, onBufferOverflow = BufferOverflow.DROP_OLDEST)

    private val lock = Any()

    @Volatile
    private var agent = 0L

    @Volatile
    private var closed = false

    @Volatile
    private var version = 0L

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
    }

    /** Sets a vault that can't be opened aside and makes a new one. Blocks for files and the Keystore. */
    fun startAnew() {
        synchronized(lock) {
            if (idOrNone() == 0L) unlock(setup.keyFile.replace(), setAside = true)
        }
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
        if (id == 0L) throw lockedBy(state.value) ?: closedError()
        return id
    }

    /** What the device is. Costs next to nothing unless it changed. */
    fun status(): DeviceState {
        val id = idOrNone()
        if (id != 0L && Native.stateVersion(id) != version) update(id)
        return state.value
    }

    fun close() {
        synchronized(lock) {
            if (closed) return
            closed = true
            if (agent != 0L) Native.closeAgent(agent)
            agent = 0L
        }
    }

    override fun happened(event: ByteArray) {
        val id = agent
        if (id == 0L) return
        try {
            update(id)
        } catch (_: IllegalStateException) {
            return // closed meanwhile
        }
        Codec.event(event)?.let(events::tryEmit)
    }

    private fun idOrNone(): Long {
        val id = agent
        if (closed) throw closedError()
        return id
    }

    private fun unlock(key: VaultKey, setAside: Boolean) {
        when (key) {
            is VaultKey.Lost -> state.value = DeviceState.EnrolAgain(key.cause)
            is VaultKey.Unavailable ->
                if (key.cause.code == ErrorCode.KEYSTORE_UNAVAILABLE) state.value = DeviceState.VaultLocked(key.cause) else throw key.cause
            is VaultKey.Ready -> try {
                val id = Native.openAgent(setup.config(setAside), key.bytes, this)
                agent = id
                update(id)
            } catch (error: VaultException) {
                if (error.code != ErrorCode.VAULT_DAMAGED) throw error
                state.value = DeviceState.EnrolAgain(error)
            } finally {
                key.bytes.fill(0)
            }
        }
    }

    private fun update(id: Long) {
        synchronized(lock) {
            val now = Native.stateVersion(id)
            if (now == version) return
            state.value = Codec.state(Native.state(id))
            version = now
        }
    }

    private fun lockedBy(state: DeviceState): VaultException? = when (state) {
        is DeviceState.EnrolAgain -> state.cause
        is DeviceState.VaultLocked -> state.cause
        else -> null
    }

    private fun closedError() = IllegalStateException("this ScannerAgent is closed: open another one")

    private companion object {
        const val EVENTS = 64
    }
}
