package io.gatehand.benchmark

/**
 * What is measured, in this order.
 *
 * @property method Name of its method in Operations.java.
 */
internal enum class Operation(val method: String, val says: String) {
    NOTHING("nothing", "an empty native call"),
    STATUS("status", "agent.status()"),
    KEY_IN_JAVA("keyInJava", "the key from preferences, decrypted in Java"),
    OK_HTTP("okHttp", "OkHttp with the key in hand"),
    BLOCKING("requestBlocking", "agent.blocking().request()"),
    SUSPENDING("requestSuspending", "agent.request() in a coroutine"),
    OK_HTTP_AT_ONCE("okHttpAtOnce", "OkHttp, 8 threads"),
    BLOCKING_AT_ONCE("requestBlockingAtOnce", "agent.blocking().request(), 8 threads"),
    SUSPENDING_AT_ONCE("requestSuspendingAtOnce", "agent.request(), 8 coroutines"),
}
