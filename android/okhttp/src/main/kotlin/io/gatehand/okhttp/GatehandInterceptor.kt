package io.gatehand.okhttp

import io.gatehand.DeviceState
import io.gatehand.DeviceStateException
import io.gatehand.ErrorCode
import io.gatehand.GatehandException
import io.gatehand.Agent
import java.io.IOException
import okhttp3.Interceptor
import okhttp3.Request
import okhttp3.Response

/**
 * Sends a client's calls to the device's server through the agent, which adds the key: an app that was built
 * on OkHttp goes on as it is, and holds no key any more.
 *
 * ```
 * val client = OkHttpClient.Builder().addInterceptor(GatehandInterceptor(agent)).build()
 * ```
 *
 * What goes to an address below that of the device's server goes through the agent, which has connections of
 * its own: of the client's settings its interceptors before this one, its timeouts for calls, until an answer begins,
 * and for reads, its redirects ([followRedirects]) and a call's cancellation hold for it; its network interceptors,
 * cookies, cache, authenticator, proxy, DNS, connection timeout and certificates do not. An `Authorization` that the app sets is replaced by the device's. All other
 * calls are none of the agent's: they go on as they are, without the key.
 *
 * A call is sent once, as OkHttp does. If its answer got lost and it changes something, make it again with the
 * same header `X-Idempotency-Key`: the server repeats its answer then.
 *
 * What the agent refuses or fails with is a [GatehandException], which is an [IOException]: a device whose
 * access was revoked has [ErrorCode.REVOKED] instead of an answer with status 401. An app's own
 * `POST …/api/v1/device/update` becomes a [refresh][Agent.refresh], as the agent reports the
 * device itself; its answer says who the device is, with what the app has set in place of the key.
 *
 * It is an application interceptor: [OkHttpClient.Builder.addInterceptor][okhttp3.OkHttpClient.Builder.addInterceptor].
 * Those that are added after it see what goes to others only.
 *
 * @param agent The process's one agent.
 * @param followRedirects Whether a redirect of what only reads is followed, as OkHttp does unless told otherwise.
 */
public class GatehandInterceptor @JvmOverloads constructor(
    private val agent: Agent,
    private val followRedirects: Boolean = true,
) : Interceptor {
    @Volatile
    private var last: Pair<DeviceState?, EnrolledServer?> = null to null

    override fun intercept(chain: Interceptor.Chain): Response {
        var request = chain.request()
        var response = answer(chain, request)
        var followed = 0
        while (followRedirects) {
            val next = Redirect.after(response, request) ?: break
            response.close()
            if (++followed > MOST_REDIRECTS) throw IOException("the server redirected $MOST_REDIRECTS times")
            request = next
            response = answer(chain, request)
        }
        return response
    }

    private fun answer(chain: Interceptor.Chain, request: Request): Response {
        val state = state()
        val server = serverOf(state)
        val path = server?.pathOf(request.url)
        return when {
            path == null -> {
                if (server == null && hasDeviceAuthorization(request)) throw notNow(state)
                chain.proceed(request)
            }
            request.method == "POST" && EnrolledServer.isUpdate(path) -> Reported(agent).answer(chain, request)
            else -> Forwarded(agent, chain, request, path).answer()
        }
    }

    /** The server of a state, which is the same object until it changes. */
    private fun serverOf(state: DeviceState): EnrolledServer? {
        val (known, server) = last
        return if (state === known) server else EnrolledServer.of(state).also { last = state to it }
    }

    private fun state(): DeviceState =
        try {
            agent.status()
        } catch (closed: IllegalStateException) {
            throw IOException("the agent was closed", closed)
        }

    /** What is meant for the device's server must not be asked of it without the key: the app would take the answer for a revocation. */
    private fun notNow(state: DeviceState): GatehandException = when (state) {
        is DeviceState.VaultLocked -> state.cause
        is DeviceState.EnrolAgain -> state.cause
        else -> DeviceStateException(ErrorCode.NOT_ENROLLED, "this device is not enrolled: scan a code first")
    }

    private fun hasDeviceAuthorization(request: Request): Boolean =
        request.header("Authorization")?.startsWith("Device ", ignoreCase = true) == true

    private companion object {
        /** As many as OkHttp follows. */
        const val MOST_REDIRECTS = 20
    }
}
