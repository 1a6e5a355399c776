package io.gatehand.okhttp

import io.gatehand.StreamedResponse
import okhttp3.Call
import okhttp3.MediaType
import okhttp3.MediaType.Companion.toMediaTypeOrNull
import okhttp3.ResponseBody
import okio.Buffer
import okio.BufferedSource
import okio.ForwardingSource
import okio.buffer
import okio.source

/** The agent's answer as OkHttp has bodies: read while it comes. */
internal class AnswerBody(private val answer: StreamedResponse, call: Call, private val isHeadOnly: Boolean) : ResponseBody() {
    private val source = object : ForwardingSource(answer.body.source()) {
        override fun read(sink: Buffer, byteCount: Long): Long {
            if (call.isCanceled()) throw Waiting.cancelled()
            return super.read(sink, byteCount)
        }
    }.buffer()

    override fun contentType(): MediaType? = answer.headers["Content-Type"]?.toMediaTypeOrNull()

    override fun contentLength(): Long = if (isHeadOnly) 0 else answer.headers["Content-Length"]?.toLongOrNull() ?: -1

    override fun source(): BufferedSource = source
}
