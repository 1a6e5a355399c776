package io.gatehand.internal

import android.util.Base64
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.Trust
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.KeyStore
import org.json.JSONArray
import org.json.JSONObject

/** The certificates of authorities for the native library, which does not find those of Android by itself. */
internal object Certificates {
    /** Android's authorities, those of its users among them. */
    private const val STORE = "AndroidCAStore"

    /** @throws GatehandException Those that Android trusts can't be read. */
    fun encode(trust: Trust): JSONObject {
        val json = JSONObject()
        if (trust.system) json.put("system", encode(ofAndroid()))
        if (trust.certificates.isNotEmpty()) json.put("certificates", encode(trust.certificates))
        return json.putOpt("pinned", trust.pinned?.let(::encode))
    }

    private fun encode(certificates: List<ByteArray>) = JSONArray().apply { certificates.forEach { put(encode(it)) } }

    private fun encode(certificate: ByteArray): String = Base64.encodeToString(certificate, Base64.NO_WRAP)

    private fun ofAndroid(): List<ByteArray> =
        try {
            val store = KeyStore.getInstance(STORE).apply { load(null) }
            store.aliases().toList().mapNotNull { store.getCertificate(it)?.encoded }
        } catch (error: GeneralSecurityException) {
            throw unreadable(error)
        } catch (error: IOException) {
            throw unreadable(error)
        } catch (error: RuntimeException) {
            // Vendors' stores throw what the documentation does not name.
            throw unreadable(error)
        }

    private fun unreadable(cause: Exception) =
        GatehandException(ErrorCode.ANDROID_FAILED, "the authorities that Android trusts can't be read", cause)
}
