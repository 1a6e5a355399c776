package io.gatehand.okhttp

import okhttp3.Request
import okhttp3.Response

/** Redirects of what only reads; whatever else is redirected is the app's to look at. */
internal object Redirect {
    private val STATUSES = setOf(300, 301, 302, 303, 307, 308)
    private val READING = setOf("GET", "HEAD")

    /** What to ask instead. An app's key for one server is none for another. */
    fun after(response: Response, request: Request): Request? {
        if (response.code !in STATUSES || request.method !in READING) return null
        val url = response.header("Location")?.let(request.url::resolve) ?: return null
        val isSame = url.host == request.url.host && url.port == request.url.port && url.scheme == request.url.scheme
        return request.newBuilder().url(url).apply { if (!isSame) removeHeader("Authorization") }.build()
    }
}
