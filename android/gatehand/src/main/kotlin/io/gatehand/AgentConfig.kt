package io.gatehand

import io.gatehand.internal.Arguments
import java.util.concurrent.TimeUnit

/**
 * How an agent is set up. Made by [Builder].
 *
 * @property appName The app's name, reported as `software_brand`.
 * @property appVersion The app's version, reported as `software_version`.
 * @property vaultName Name of the vault. Agents with different names are different devices.
 * @property diagnostics Whether battery, storage, Wi-Fi and uptime are reported in `info`.
 * @property allowHttp Whether the device may enrol at a server on another machine without encryption.
 * @property managedConfiguration Whether a managed configuration's enrolment is redeemed; see
 *   [Builder.managedConfiguration].
 * @property managedKeys The names of the managed configuration's keys; see [Builder.managedKeys].
 * @property trust Whom the device believes to be its server.
 * @property connectTimeoutMillis Longest time that a connection may take to come about.
 * @property readTimeoutMillis Longest silence of a server; see [Builder.readTimeout].
 * @property timeLimitMillis Longest time that an operation takes, retries included.
 */
public class AgentConfig private constructor(builder: Builder) {
    public val appName: String = builder.appName
    public val appVersion: String = builder.appVersion
    public val vaultName: String = builder.vaultName
    public val diagnostics: Boolean = builder.diagnostics
    public val managedConfiguration: Boolean = builder.managedConfiguration
    public val managedKeys: ManagedKeys = builder.managedKeys
    public val allowHttp: Boolean = builder.allowHttp
    public val trust: Trust = builder.trust
    public val connectTimeoutMillis: Long = builder.connectTimeoutMillis
    public val readTimeoutMillis: Long = builder.readTimeoutMillis
    public val timeLimitMillis: Long = builder.timeLimitMillis

    /**
     * Collects what is not to be as usual.
     *
     * @param appName The app's name, as `pretixSCAN`: 1 to 190 characters.
     * @param appVersion The app's version, as `2.3.1`: 1 to 190 characters.
     */
    public class Builder(appName: String, appVersion: String) {
        internal val appName = reported("the app's name", appName)
        internal val appVersion = reported("the app's version", appVersion)
        internal var vaultName = "default"
        internal var diagnostics = true
        internal var managedConfiguration = true
        internal var managedKeys = ManagedKeys()
        internal var allowHttp = false
        internal var trust = Trust.builtIn()
        internal var connectTimeoutMillis = 10_000L
        internal var readTimeoutMillis = 30_000L
        internal var timeLimitMillis = 60_000L

        /**
         * Names the vault, for an app that is several devices at once.
         *
         * @param name 1 to 40 of `a-z`, `0-9`, `-` and `_`; the name of a folder.
         */
        public fun vaultName(name: String): Builder = apply {
            require(name.length in 1..40 && name.all { it in 'a'..'z' || it in '0'..'9' || it == '-' || it == '_' }) {
                "the vault's name must be 1 to 40 of a-z, 0-9, - and _"
            }
            vaultName = name
        }

        /**
         * Whether battery, storage, Wi-Fi and uptime are reported in `info`; they are, unless said: with each report,
         * and after a call if the last one is an hour old. They are read when they are sent.
         */
        public fun diagnostics(report: Boolean): Builder = apply { diagnostics = report }

        /**
         * Whether a managed configuration's enrolment is redeemed; it is, unless said. Its keys are `url`,
         * `token` and `allowed_servers`, unless [managedKeys] says otherwise: without the last one, no token is sent.
         */
        public fun managedConfiguration(redeem: Boolean): Builder = apply { managedConfiguration = redeem }

        /** Names the keys of the managed configuration, for an app that has some of its own already. */
        public fun managedKeys(keys: ManagedKeys): Builder = apply { managedKeys = keys }

        /**
         * Whether the device may enrol at an address with `http://` that is not on this device itself;
         * it may not, unless said. Anyone on the network can then read the key and take the device over,
         * so this is for a network that is trusted as a whole. The app's network security configuration has to
         * permit it for that server, too.
         */
        public fun allowHttp(allow: Boolean): Builder = apply { allowHttp = allow }

        /** Whom the device believes to be its server; [the built-in authorities][Trust.builtIn], unless said. */
        public fun trust(trust: Trust): Builder = apply { this.trust = trust }

        /**
         * Longest time that a connection may take to come about; 10 seconds unless said. With less than that
         * left of the time limit, nothing is sent again.
         */
        public fun connectTimeout(time: Long, unit: TimeUnit): Builder = apply {
            connectTimeoutMillis = positive(unit.toMillis(time))
        }

        /**
         * Longest silence of a server; 30 seconds unless said. It holds until an answer begins, not counting while
         * the server takes what is sent or the app still writes it, and between two pieces of the answer, each time
         * anew: a slow one is read for as long as the time limit allows.
         */
        public fun readTimeout(time: Long, unit: TimeUnit): Builder = apply {
            readTimeoutMillis = positive(unit.toMillis(time))
        }

        /** Longest time that an operation takes, retries included; a minute unless said. */
        public fun timeLimit(time: Long, unit: TimeUnit): Builder = apply {
            timeLimitMillis = positive(unit.toMillis(time))
        }

        /** The configuration. */
        public fun build(): AgentConfig = AgentConfig(this)
    }

    private companion object {
        /** The server refuses longer texts. */
        const val REPORTED_LIMIT = 190

        fun reported(what: String, text: String): String {
            val trimmed = text.trim()
            require(trimmed.isNotEmpty()) { "$what is empty: the server wants to know which app runs on the device" }
            require(trimmed.length <= REPORTED_LIMIT) { "$what is longer than $REPORTED_LIMIT characters" }
            return Arguments.whole(what, trimmed)
        }

        fun positive(millis: Long): Long = millis.also { require(it > 0) { "a time limit must be more than 0" } }
    }
}
