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
     * The RSA key that the app had reported for NFC media is adopted too. One that is of no use does not keep the
     * device from its gate: it is taken over without.
     *
     * @return Why the device was taken over without its RSA key, if it was just now.
     * @throws GatehandException The server was not reached, or does not confirm the key.
     */
    suspend fun moveInto(agent: Agent): GatehandException? = turn.withLock {
        withContext(Dispatchers.IO) { if (waits()) move(agent) else null }
    }

    private suspend fun move(agent: Agent): GatehandException? {
        val taken = when (val state = agent.state.value) {
            // What becomes of it decides.
            is DeviceState.Enrolling, is DeviceState.Rejected -> null
            is DeviceState.Enrolled -> if (state.identity.uniqueSerial == word(SERIAL)) Taken() else adopt(agent)
            else -> adopt(agent)
        } ?: return null
        try {
            // Copies of that file may be anywhere: the key in them is dead from now on.
            agent.roll()
            preferences.edit().clear().commit()
        } catch (error: GatehandException) {
            Log.w(TAG, "the old key still works, until the next try", error)
        }
        return taken.withoutMediaKey
    }

    /** Returns what the vault has now, once it is written down whose it is. */
    private suspend fun adopt(agent: Agent): Taken? =
        try {
            adopt(agent, word(MEDIA_KEY))
        } catch (error: GatehandException) {
            if (word(MEDIA_KEY) == null || error.code !in OF_THE_MEDIA_KEY) throw error
            Log.w(TAG, "the RSA key for NFC media is of no use", error)
            adopt(agent, mediaKey = null)?.let { Taken(error) }
        }

    private suspend fun adopt(agent: Agent, mediaKey: String?): Taken? {
        val server = word(SERVER) ?: return null
        val key = word(KEY) ?: return null
        val identity = try {
            agent.adopt(ExistingIdentity(server, key, word(SERIAL), mediaKey))
        } catch (error: GatehandException) {
            if (error.code in FINAL) preferences.edit().putBoolean(GIVEN_UP, true).commit()
            if (error.code != ErrorCode.ALREADY_ENROLLED) throw error
            Log.w(TAG, "this is another device by now; the one that the old key belongs to is to be revoked on the server")
            return null
        }
        // Once the key is replaced, only the serial tells that it was this device's.
        return Taken().takeIf { preferences.edit().putString(SERIAL, identity.uniqueSerial).commit() }
    }

    /** The vault has the API key. */
    private class Taken(val withoutMediaKey: GatehandException? = null)

    private fun word(name: String): String? = preferences.getString(name, null)?.ifBlank { null }

    internal companion object {
        const val FILE = "device"
        const val SERVER = "server"
        const val KEY = "api_key"
        const val SERIAL = "unique_serial"

        /** Alias, in the Keystore, of the RSA key that was reported for NFC media. */
        const val MEDIA_KEY = "media_key_alias"
        private const val GIVEN_UP = "given_up"
        private const val TAG = "gatehand"

        /** After which the same without the RSA key can go well. */
        private val OF_THE_MEDIA_KEY = setOf(ErrorCode.KEY_LOST, ErrorCode.MEDIA_KEY_UNUSABLE, ErrorCode.OTHER_MEDIA_KEY)

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
