package io.gatehand.benchmark

/**
 * What is measured, in this order.
 *
 * @property method Name of its method in Operations.java.
 */
internal enum class Operation(val method: String, val says: String) {
    LEAST_NATIVE_CALL("leastNativeCall", "the least native call, checkMayWait()"),
    STATUS("status", "agent.status()"),
    KEY_IN_JAVA("keyInJava", "the key from preferences, decrypted in Java"),
    OK_HTTP_BLOCKING("okHttpBlocking", "OkHttp, on the thread that waits"),
    REQUEST_BLOCKING("requestBlocking", "agent.blocking().request()"),
    INTERCEPTED("intercepted", "OkHttp with gatehand-okhttp, on the same"),
    OK_HTTP_SUSPENDING("okHttpSuspending", "OkHttp, from a coroutine"),
    REQUEST_SUSPENDING("requestSuspending", "agent.request()"),
    OK_HTTP_BLOCKING_AT_ONCE("okHttpBlockingAtOnce", "OkHttp, from 8 threads"),
    REQUEST_BLOCKING_AT_ONCE("requestBlockingAtOnce", "agent.blocking().request(), from 8 threads"),
    OK_HTTP_SUSPENDING_AT_ONCE("okHttpSuspendingAtOnce", "OkHttp, from 8 coroutines"),
    REQUEST_SUSPENDING_AT_ONCE("requestSuspendingAtOnce", "agent.request(), from 8 coroutines"),
}
