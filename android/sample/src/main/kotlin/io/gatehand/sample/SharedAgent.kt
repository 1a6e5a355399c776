package io.gatehand.sample

import io.gatehand.Agent
import io.gatehand.GatehandException
import java.io.Closeable
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/**
 * The process's one agent, for the screens and for work in the background: a second one on the same
 * vault is refused.
 *
 * @param open Opens it; called off the main thread, as that reads files and asks the Keystore.
 */
class SharedAgent(private val open: () -> Agent) : Closeable {
    private val turn = Mutex()
    private var agent: Agent? = null
    private var closed = false

    /**
     * The agent. Opens it, or waits for whoever is opening it; after a failure the next one tries again.
     *
     * @throws GatehandException It can't be opened.
     */
    suspend fun get(): Agent = turn.withLock {
        // Kept in there, so that a caller who is cancelled meanwhile does not lose it.
        current() ?: withContext(Dispatchers.IO) { open().also(::keep) }
    }

    @Synchronized
    private fun current(): Agent? = agent

    @Synchronized
    private fun keep(opened: Agent) {
        if (closed) opened.close() else agent = opened
    }

    @Synchronized
    override fun close() {
        closed = true
        agent?.close()
    }
}
