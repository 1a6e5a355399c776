package io.gatehand.sample

import android.content.res.Resources
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.view.inputmethod.EditorInfo
import android.widget.Button as ButtonView
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.TextView
import io.gatehand.DisplayText
import io.gatehand.sample.Button.Kind

/**
 * Puts a [Screen] into the views of `layout/screen`.
 *
 * @param root Holds that layout.
 * @param onAction Is told what was pressed.
 */
class ScreenView(root: View, private val onAction: (Action) -> Unit) {
    private val resources: Resources = root.resources
    private val inflater = LayoutInflater.from(root.context)
    private val title: TextView = root.part(R.id.title)
    private val subject: TextView = root.part(R.id.subject)
    private val notice: View = root.part(R.id.notice)
    private val noticeWords: TextView = root.part(R.id.notice_words)
    private val noticeDetail: TextView = root.part(R.id.notice_detail)
    private val busy: View = root.part(R.id.busy)
    private val busyWords: TextView = root.part(R.id.busy_words)
    private val sentences: LinearLayout = root.part(R.id.sentences)
    private val form: View = root.part(R.id.form)
    private val serverField: EditText = root.part(R.id.server)
    private val tokenField: EditText = root.part(R.id.token)
    private val facts: LinearLayout = root.part(R.id.facts)
    private val firstButtons: LinearLayout = root.part(R.id.first_buttons)
    private val moreButtons: LinearLayout = root.part(R.id.more_buttons)
    private var shown: Screen? = null

    /** The address that was typed. */
    val server: String get() = serverField.text.toString()

    /** The token that was typed. */
    val token: String get() = tokenField.text.toString()

    init {
        tokenField.setOnEditorActionListener { _, action, _ ->
            val done = action == EditorInfo.IME_ACTION_DONE && shown?.busy == null
            if (done) onAction(Action.Submit)
            done
        }
    }

    /** Shows [screen]. */
    fun show(screen: Screen) {
        if (screen == shown) return
        title.say(screen.title)
        title.colour(screen.tone)
        subject.say(screen.subject)
        notice.isShownIf(screen.notice != null)
        screen.notice?.let(::show)
        busy.isShownIf(screen.busy != null)
        busyWords.say(screen.busy)
        sentences.fill(screen.sentences) { sentence ->
            (inflater.inflate(R.layout.sentence, sentences, false) as TextView).apply { say(sentence) }
        }
        showForm(screen.form, shown?.form == true)
        facts.fill(screen.facts, ::viewOf)
        // The first ones are always in sight, the others below what can be scrolled.
        firstButtons.fill(screen.buttons.take(IN_SIGHT)) { viewOf(it, firstButtons, enabled = screen.busy == null) }
        moreButtons.fill(screen.buttons.drop(IN_SIGHT)) { viewOf(it, moreButtons, enabled = screen.busy == null) }
        shown = screen
    }

    private fun show(shownNotice: Notice) {
        noticeWords.say(shownNotice.words)
        noticeDetail.say(shownNotice.detail?.let(::words))
        val (ground, ink) = coloursOf(shownNotice.tone, plain = R.color.note to R.color.ink)
        notice.setBackgroundColor(colour(ground))
        noticeWords.setTextColor(colour(ink))
        noticeDetail.setTextColor(colour(ink))
    }

    private fun showForm(isForm: Boolean, wasForm: Boolean) {
        form.isShownIf(isForm)
        // Used or given up: the next one who types begins anew.
        if (wasForm && !isForm) {
            serverField.text = null
            tokenField.text = null
        }
    }

    private fun viewOf(fact: Fact): View = inflater.inflate(R.layout.fact, facts, false).apply {
        val label = resources.getString(fact.label)
        val value = read(fact.value)
        part<TextView>(R.id.fact_label).text = label
        part<TextView>(R.id.fact_value).text = value
        contentDescription = resources.getString(R.string.fact_spoken, label, Breaks.without(value))
        if (Breaks.longestPiece(value) > PIECE) stack(this as LinearLayout)
    }

    private fun viewOf(button: Button, parent: ViewGroup, enabled: Boolean): View {
        val layout = when (button.kind) {
            Kind.MAIN -> R.layout.button_main
            Kind.OTHER -> R.layout.button_other
            Kind.DANGER -> R.layout.button_danger
        }
        return (inflater.inflate(layout, parent, false) as ButtonView).apply {
            setText(button.label)
            isEnabled = enabled
            filterTouchesWhenObscured = true
            setOnClickListener { onAction(button.action) }
        }
    }

    /** The value below its label, on the whole width: what is long is not taken apart. */
    private fun stack(fact: LinearLayout) {
        fact.orientation = LinearLayout.VERTICAL
        for (id in listOf(R.id.fact_label, R.id.fact_value)) {
            fact.part<TextView>(id).layoutParams =
                LinearLayout.LayoutParams(ViewGroup.LayoutParams.MATCH_PARENT, ViewGroup.LayoutParams.WRAP_CONTENT)
        }
    }

    private fun TextView.say(words: Text?) {
        isShownIf(words != null)
        text = words?.let(::read)
    }

    /** What others wrote may be any text, and is cleaned here, where it is shown. */
    private fun read(words: Text): String = when (words) {
        is Text.Words -> Breaks.into(DisplayText.of(words.words))
        is Text.Of -> {
            val arguments = words.arguments.map { if (it is Text) read(it) else Breaks.into(DisplayText.of(it.toString())) }
            resources.getString(words.resource, *arguments.toTypedArray())
        }
    }

    private fun TextView.colour(tone: Tone) {
        val (ground, ink) = coloursOf(tone, plain = R.color.blue to R.color.paper)
        setBackgroundColor(colour(ground))
        setTextColor(colour(ink))
    }

    private fun coloursOf(tone: Tone, plain: Pair<Int, Int>): Pair<Int, Int> = when (tone) {
        Tone.PLAIN -> plain
        Tone.GOOD -> R.color.green to R.color.paper
        Tone.WARNING -> R.color.amber to R.color.ink
        Tone.BAD -> R.color.red to R.color.paper
    }

    @Suppress("DEPRECATION") // What replaces it needs Android 6.
    private fun colour(id: Int): Int = resources.getColor(id)

    private fun View.isShownIf(shown: Boolean) {
        visibility = if (shown) View.VISIBLE else View.GONE
    }

    private fun <T : View> View.part(id: Int): T = checkNotNull(findViewById(id)) { "the layout has no such view" }

    private fun <T> ViewGroup.fill(things: List<T>, view: (T) -> View) {
        removeAllViews()
        things.forEach { addView(view(it)) }
    }

    private companion object {
        const val IN_SIGHT = 2

        /** Characters that fit beside a label on a TC25. */
        const val PIECE = 13
    }
}
