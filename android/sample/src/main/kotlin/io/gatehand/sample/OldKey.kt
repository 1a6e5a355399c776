package io.gatehand.sample

import android.content.Context
import io.gatehand.DeviceState
import io.gatehand.ExistingIdentity
import io.gatehand.GatehandException
import io.gatehand.ScannerAgent

/**
 * The device's key as this app kept it before it used gatehand: in its preferences. An app with such
 * a key takes it over once, so that the device stays the same on the server and needs no new code.
 */
class OldKey(private val context: Context) {
    private val preferences get() = context.getSharedPreferences(FILE, Context.MODE_PRIVATE)

    /** Whether there is one. Reads a file. */
    fun isThere(): Boolean = preferences.contains(KEY)

    /**
     * Moves it into the vault. Whatever fails, the old key stays until the vault has it, so that the
     * next start tries again; and if the process ends between the two, the next start deletes it.
     *
     * @throws GatehandException The server was not reached, or does not confirm the key.
     */
    suspend fun moveInto(agent: ScannerAgent) {
        val server = preferences.getString(SERVER, null) ?: return
        val key = preferences.getString(KEY, null) ?: return
        when (agent.state.value) {
            DeviceState.NotEnrolled -> agent.adopt(ExistingIdentity(server, key, preferences.getString(SERIAL, null)))
            is DeviceState.Enrolled -> Unit
            else -> return
        }
        preferences.edit().clear().commit()
        // Copies of that file may be anywhere: the key in them is dead from now on.
        agent.roll()
    }

    internal companion object {
        const val FILE = "device"
        const val SERVER = "server"
        const val KEY = "api_key"
        const val SERIAL = "unique_serial"
    }
}
