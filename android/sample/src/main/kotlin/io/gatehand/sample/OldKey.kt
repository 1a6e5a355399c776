package io.gatehand.sample

import android.content.Context
import android.util.Log
import io.gatehand.Agent
import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.ExistingIdentity
import io.gatehand.GatehandException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/**
 * The device's key as this app kept it before it used gatehand: in its preferences. An app with such
 * a key takes it over once, so that the device stays the same on the server and needs no new code.
 *
 * While it [waits], management's code must not be redeemed: the device would be a second one.
 */
class OldKey(private val context: Context) {
    private val preferences get() = context.getSharedPreferences(FILE, Context.MODE_PRIVATE)
    private val turn = Mutex()

    /** Whether there is one that may become this device's. Reads a file. */
    fun waits(): Boolean = word(SERVER) != null && word(KEY) != null && !preferences.contains(GIVEN_UP)

    /**
     * Moves it into the vault, has the server replace it, and deletes it then. Where this ends before,
     * the next call goes on. A key that can't become this device's is given up, but never deleted: it
     * may be all that is left of another device.
     *
     * @throws GatehandException The server was not reached, or does not confirm the key.
     */
    suspend fun moveInto(agent: Agent): Unit = turn.withLock {
        withContext(Dispatchers.IO) { if (waits()) move(agent) }
    }

    private suspend fun move(agent: Agent) {
        when (val state = agent.state.value) {
            // What becomes of it decides.
            is DeviceState.Enrolling, is DeviceState.Rejected -> return
            is DeviceState.Enrolled -> if (state.identity.uniqueSerial != word(SERIAL) && !adopt(agent)) return
            else -> if (!adopt(agent)) return
        }
        try {
            // Copies of that file may be anywhere: the key in them is dead from now on.
            agent.roll()
        } catch (error: GatehandException) {
            Log.w(TAG, "the old key still works, until the next try", error)
            return
        }
        preferences.edit().clear().commit()
    }

    /** Returns whether the vault has the key, and it is written down whose it is. */
    private suspend fun adopt(agent: Agent): Boolean {
        val server = word(SERVER) ?: return false
        val key = word(KEY) ?: return false
        val identity = try {
            agent.adopt(ExistingIdentity(server, key, word(SERIAL)))
        } catch (error: GatehandException) {
            if (error.code in FINAL) preferences.edit().putBoolean(GIVEN_UP, true).commit()
            if (error.code != ErrorCode.ALREADY_ENROLLED) throw error
            Log.w(TAG, "this is another device by now; the one that the old key belongs to is to be revoked on the server")
            return false
        }
        // Once the key is replaced, only the serial tells that it was this device's.
        return preferences.edit().putString(SERIAL, identity.uniqueSerial).commit()
    }

    private fun word(name: String): String? = preferences.getString(name, null)?.ifBlank { null }

    internal companion object {
        const val FILE = "device"
        const val SERVER = "server"
        const val KEY = "api_key"
        const val SERIAL = "unique_serial"
        private const val GIVEN_UP = "given_up"
        private const val TAG = "gatehand"

        /** After which no later try can go well. */
        private val FINAL = setOf(
            ErrorCode.ALREADY_ENROLLED,
            ErrorCode.ARGUMENT_INVALID,
            ErrorCode.OTHER_DEVICE,
            ErrorCode.REJECTED,
            ErrorCode.REVOKED,
        )
    }
}
