package io.gatehand

/** How a [heartbeat][ScannerAgent.heartbeat] went, as a background worker needs to know it. */
public enum class Heartbeat {
    /** All is done: `Result.success()`. */
    DONE,

    /** The server was not reached: `Result.retry()`. */
    TRY_LATER,

    /** A person has to act, see [ScannerAgent.state]: `Result.failure()`, and stop the work. */
    NEEDS_PERSON,
}
