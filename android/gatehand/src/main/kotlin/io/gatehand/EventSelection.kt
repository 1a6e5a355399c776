package io.gatehand

import io.gatehand.internal.Arguments
import io.gatehand.internal.Fields

/**
 * What a device scans for.
 *
 * @property event Slug of the event.
 * @property eventName The event's name, as the server has it: any text, to be cleaned by [DisplayText] where it is
 *   shown. Not looked at where the app only asks.
 * @property subevent The date within an event series.
 * @property checkinList The check-in list.
 */
public class EventSelection @JvmOverloads constructor(
    public val event: String,
    public val eventName: String = "",
    public val subevent: Long? = null,
    public val checkinList: Long? = null,
) {
    init {
        Arguments.text("the event", event)
    }

    private val fields get() = Fields("EventSelection", "event" to event, "eventName" to eventName, "subevent" to subevent, "checkinList" to checkinList)

    override fun equals(other: Any?): Boolean = other is EventSelection && other.fields == fields

    override fun hashCode(): Int = fields.hashCode()

    /** All of it on one line, cleaned for a log. */
    override fun toString(): String = fields.toString()
}

/**
 * What the server says to scan for.
 *
 * New suggestions may come; with one that an app does not know the device keeps what it scans for.
 */
public abstract class EventSuggestion internal constructor() {
    /** What it consists of. */
    internal abstract val fields: Fields

    override fun equals(other: Any?): Boolean = other is EventSuggestion && other.fields == fields

    override fun hashCode(): Int = fields.hashCode()

    /** All of it on one line, cleaned for a log. */
    override fun toString(): String = fields.toString()

    /** What the device scans for is right. */
    public object Keep : EventSuggestion() {
        override val fields: Fields get() = Fields("Keep")
    }

    /**
     * The server has nothing to suggest, and does not say why: the device may access no event, or none of
     * its events is live with an active date and, if the device is at a gate, a check-in list there.
     */
    public object None : EventSuggestion() {
        override val fields: Fields get() = Fields("None")
    }

    /**
     * Something else is on.
     *
     * @property selection What to scan for.
     */
    public class Switch(public val selection: EventSelection) : EventSuggestion() {
        override val fields: Fields get() = Fields("Switch", "selection" to selection)
    }
}
