package io.gatehand.sample

/**
 * What a screen shows: one subject, what is to be said of it, and one thing to do first.
 *
 * It knows nothing of views, so that what is shown can be tested without a device, and a screen
 * after a rotation is the same as before.
 *
 * @property title What this is about, in a few words.
 * @property tone Colour of the title; never the only sign of what it means.
 * @property subject What has to be read across a gate: a device's name, a server.
 * @property busy What is waited for; until then nothing can be pressed.
 * @property form Whether address and token can be typed.
 * @property buttons What can be pressed; the first two are always in sight.
 * @property leadsBack Whether going back leads to another screen, and not out of the app.
 */
data class Screen(
    val title: Text,
    val tone: Tone = Tone.PLAIN,
    val subject: Text? = null,
    val notice: Notice? = null,
    val busy: Text? = null,
    val sentences: List<Text> = emptyList(),
    val facts: List<Fact> = emptyList(),
    val form: Boolean = false,
    val buttons: List<Button> = emptyList(),
    val leadsBack: Boolean = false,
)

/** How things are. */
enum class Tone { PLAIN, GOOD, WARNING, BAD }

/**
 * What came of the last thing that was done.
 *
 * @property detail The same in the server's or the library's own words, which are English.
 */
data class Notice(val tone: Tone, val words: Text, val detail: String? = null)

/** Something that is known of the device. */
data class Fact(val label: Int, val value: Text)

/** Something to press. */
data class Button(val label: Int, val action: Action, val kind: Kind = Kind.OTHER) {
    enum class Kind { MAIN, OTHER, DANGER }
}

/** What a person can do. */
sealed interface Action {
    data object OpenAgain : Action

    data object Type : Action

    /** Reads what was typed; nothing is sent. */
    data object Submit : Action

    /**
     * Agrees to a server.
     *
     * @property origin The one that was shown.
     * @property replaces Whether the person was told that this gives something up.
     */
    data class Enrol(val origin: String, val replaces: Boolean = false) : Action

    /** Shows what is seldom needed, and never at a gate. */
    data object Maintain : Action

    /** Goes back from a question, a form or the maintenance. */
    data object Back : Action

    data object Refresh : Action

    /** Tries at once what the app would try again by itself. */
    data object TryAgain : Action

    data object Call : Action

    data object Roll : Action

    data object AskToRevoke : Action

    data object Revoke : Action
}

/** Words to show: in the language of whoever reads them, or as somebody else wrote them. */
sealed interface Text {
    /** A string resource; an argument that is a [Text] itself is shown in the same language. */
    data class Of(val resource: Int, val arguments: List<Any>) : Text

    data class Words(val words: String) : Text
}

fun text(resource: Int, vararg arguments: Any): Text = Text.Of(resource, arguments.toList())

fun words(words: String): Text = Text.Words(words)
