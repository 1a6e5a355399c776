package io.gatehand.datawedge

/** Hears of the scan engine, on the main thread. */
public interface DataWedgeListener {
    /**
     * The trigger read [text], which is never empty. Any app can send what looks the same, so it is
     * trusted no more than what a person types.
     */
    public fun onScan(text: String)

    /** What became of [DataWedge.setUp]. */
    public fun onSetUp(outcome: SetUpOutcome)
}

/**
 * What became of an app's profile.
 *
 * @property kind What to do about it. More kinds may come: what is not known is to be taken as [Kind.FAILED].
 * @property code DataWedge's word for it with [Kind.FAILED], or [NO_ANSWER].
 */
public class SetUpOutcome(public val kind: Kind, public val code: String? = null) {
    /** Kinds of outcomes. */
    public enum class Kind {
        /** The profile is there, and what is scanned comes to the app. */
        READY,

        /**
         * The app belongs to another profile, as one that its management made, which was left as it is.
         * Scans come to the app if that profile sends them as [DataWedge.scanAction] says.
         */
        OTHER_PROFILE,

        /** DataWedge did not do it. */
        FAILED,
    }

    override fun toString(): String = if (code == null) "$kind" else "$kind ($code)"

    /** Words of our own. */
    public companion object {
        /** DataWedge did not answer. */
        public const val NO_ANSWER: String = "NO_ANSWER"
    }
}
