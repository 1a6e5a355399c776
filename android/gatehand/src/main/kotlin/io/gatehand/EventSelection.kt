package io.gatehand

import io.gatehand.internal.Arguments

/**
 * What a device scans for.
 *
 * @property event Slug of the event.
 * @property eventName The event's name, as the server has it: any text, to be cleaned by [DisplayText] where it is
 *   shown. Not looked at where the app only asks.
 * @property subevent The date within an event series.
 * @property checkinList The check-in list.
 */
public data class EventSelection @JvmOverloads constructor(
    public val event: String,
    public val eventName: String = "",
    public val subevent: Long? = null,
    public val checkinList: Long? = null,
) {
    init {
        Arguments.text("the event", event)
    }

    /** All of it on one line, cleaned for a log. */
    override fun toString(): String = DisplayText.of(
        "EventSelection(event=$event, eventName=$eventName, subevent=$subevent, checkinList=$checkinList)",
    )
}

/** What the server says to scan for. */
public sealed interface EventSuggestion {
    /** What the device scans for is right. */
    public data object Keep : EventSuggestion

    /**
     * The server has nothing to suggest, and does not say why: the device may access no event, or none of
     * its events is live with an active date and, if the device is at a gate, a check-in list there.
     */
    public data object None : EventSuggestion

    /**
     * Something else is on.
     *
     * @property selection What to scan for.
     */
    public data class Switch(public val selection: EventSelection) : EventSuggestion
}
