package io.gatehand.okhttp

import io.gatehand.DeviceState
import okhttp3.HttpUrl
import okhttp3.HttpUrl.Companion.toHttpUrlOrNull

/** The server that the device is one of, or that was asked to make it one. */
internal class EnrolledServer private constructor(private val address: HttpUrl) {
    private val prefix = address.encodedPath.trimEnd('/')

    /** The path below the server's own with its query, if that is where [url] leads. */
    fun pathOf(url: HttpUrl): String? {
        val isSameOrigin = url.scheme == address.scheme && url.host == address.host && url.port == address.port
        if (!isSameOrigin || !url.encodedPath.startsWith("$prefix/")) return null
        val path = url.encodedPath.removePrefix(prefix)
        return url.encodedQuery?.let { "$path?$it" } ?: path
    }

    companion object {
        private const val UPDATE = "/api/v1/device/update"

        fun of(state: DeviceState): EnrolledServer? = address(state)?.toHttpUrlOrNull()?.let(::EnrolledServer)

        /** Whether this is how a device tells what it is. */
        fun isUpdate(path: String): Boolean = path.substringBefore('?').trimEnd('/') == UPDATE

        private fun address(state: DeviceState): String? = when (state) {
            is DeviceState.Enrolled -> state.identity.server
            is DeviceState.Rejected -> state.identity.server
            is DeviceState.Revoked -> state.identity.server
            is DeviceState.Enrolling -> state.server
            is DeviceState.AnswerLost -> state.identity?.server ?: state.server
            else -> null
        }
    }
}
