package io.gatehand.internal

import android.content.Context
import io.gatehand.AgentConfig
import io.gatehand.GatehandException
import io.gatehand.internal.facts.DeviceFacts
import io.gatehand.internal.facts.Diagnostics
import io.gatehand.internal.keystore.MediaKey
import io.gatehand.internal.keystore.VaultKeyFile
import java.io.File
import org.json.JSONObject

/** What belongs to one agent on the Android side. */
internal class AgentSetup(val context: Context, val config: AgentConfig) {
    /** Not backed up: a vault is of no use on another device, nor without this one's Keystore. */
    val folder = File(File(context.noBackupFilesDir, "gatehand"), config.vaultName)
    val keyFile = VaultKeyFile(context, folder, config.vaultName)
    private val diagnostics = Diagnostics(context, folder)

    /** The key pair for NFC media: the one that the app had before under this alias, or the library's own. */
    fun mediaKey(adopted: String?): MediaKey =
        if (adopted != null) MediaKey(context, adopted, isAdopted = true) else MediaKey(context, "io.gatehand.media.${config.vaultName}")

    /**
     * How the native library's agent is opened.
     *
     * @throws GatehandException The certificates that Android trusts can't be read.
     */
    fun config(setAside: Boolean): ByteArray = Codec.encode(
        JSONObject()
            .put("folder", folder.path)
            .put("device", DeviceFacts.read())
            .put("app_name", config.appName)
            .put("app_version", config.appVersion)
            .put("connect_timeout_ms", config.connectTimeoutMillis)
            .put("read_timeout_ms", config.readTimeoutMillis)
            .put("time_limit_ms", config.timeLimitMillis)
            .put("allow_http", config.allowHttp)
            .put("trust", Certificates.encode(config.trust))
            .put("set_aside", setAside),
    )

    /** How the device is doing now, if that is to be reported. Asks system services, so not for the main thread. */
    fun diagnostics(): ByteArray? = if (config.diagnostics) Codec.encode(diagnostics.read()) else null
}
