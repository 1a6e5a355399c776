package io.gatehand

/**
 * How a [heartbeat][Agent.heartbeat] went, as a background worker needs to know it.
 *
 * A periodic worker goes on whatever it is: a device that was rejected may be taken again, a new
 * managed configuration may come, a person may scan a new code. New values may come: one that an app does not
 * know is as [DONE].
 */
public enum class Heartbeat {
    /** All is done: `Result.success()`. */
    DONE,

    /** What was in the way may pass, as a network that is away: `Result.retry()`. */
    TRY_LATER,

    /**
     * A person has to act first, see [Agent.state]. Periodic work: `Result.success()`, so that
     * the next period finds out; work that is done once: `Result.failure()`.
     */
    NEEDS_PERSON,
}
