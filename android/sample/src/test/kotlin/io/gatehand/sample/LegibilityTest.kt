package io.gatehand.sample

import android.app.Activity
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Rect
import android.view.View
import android.view.ViewGroup
import android.widget.Button as ButtonView
import android.widget.EditText
import android.widget.TextView
import io.gatehand.AgentEvent
import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.EventSelection
import io.gatehand.Gate
import io.gatehand.Identity
import io.gatehand.datawedge.SetUpOutcome
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/**
 * All screens as a TC25 draws them: 480 x 800 on 4.3 inches, less what Android keeps for its bars.
 * `-DargLine=-Dgatehand.pictures=FOLDER` keeps the pictures; the folder is an absolute path.
 */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [27, 35, 36], qualifiers = "w320dp-h461dp-normal-notlong-port-hdpi")
class LegibilityTest {
    private val states = ScreensTest.STATES
    private val event = Event.Now(EventSelection("nacht", "Lange Nacht der Museen"))
    private val enrolled = Situation(true, states.getValue("enrolled"), event = event)
    private val maintained = enrolled.copy(step = Step.Maintain)
    private val long = DeviceState.Enrolled(
        Identity.Builder("https://tickets.stadtwerke-musterhausen.veranstaltungen.example")
            .organizer("landeshauptstadt-musterhausen-veranstaltungs-gmbh")
            .deviceId(12)
            .uniqueSerial("ABCDEFGHIJKLMNOP")
            .name("Haupteingang_Nordtribuene-Drehkreuz.17")
            .securityProfile("pretixscan_online_noorders")
            .gate(Gate(3, "Sonderveranstaltung-Nordzugang", "sonder"))
            .serverVersion("2026.8.0")
            .build(),
    )
    private val confirm = Step.Confirm(ScreensTest.ENROLMENT, replaces = false)
    private val refused = Notice(
        Tone.BAD,
        text(R.string.error_token_refused),
        "https://tickets.veranstaltungen.example refused: This initialization token has already been used.",
    )

    private val keyRefused = Notice(Tone.BAD, text(R.string.old_key_refused))

    private val screens: Map<String, Screen> = buildMap {
        for ((name, state) in states) {
            put(name, screenOf(Situation(true, state)))
            put("$name without scanner", screenOf(Situation(false, state)))
        }
        put("enrolled", screenOf(enrolled))
        put("enrolled, busy", screenOf(enrolled.copy(work = Work.REFRESH)))
        put("enrolled, scanner of others", screenOf(enrolled.copy(scanner = SetUpOutcome(SetUpOutcome.Kind.OTHER_PROFILE))))
        put("enrolled, long", screenOf(enrolled.copy(device = long)))
        put("rejected, long", screenOf(Situation(true, DeviceState.Rejected(long.identity))))
        put("maintenance", screenOf(maintained))
        put("maintenance, long", screenOf(maintained.copy(device = long)))
        put("maintenance, busy", screenOf(maintained.copy(work = Work.CALL)))
        put("maintenance, call", screenOf(maintained.copy(notice = Notice(Tone.GOOD, text(R.string.call_done, "Lane 2", "2026.8.0")))))
        put("enrolled, ticket", screenOf(enrolled.copy(notice = Notice(Tone.PLAIN, text(R.string.ticket_read, "A".repeat(40) + "…")))))
        for (code in listOf(ErrorCode.MEDIA_KEY_UNUSABLE, ErrorCode.OTHER_MEDIA_KEY)) {
            put("enrolled, ${code.name.lowercase()}", screenOf(enrolled.copy(notice = mediaKeyNotice(ScreensTest.error(code, "unfit")))))
        }
        put("enrolled, no event", screenOf(enrolled.copy(notice = Notice(Tone.WARNING, text(R.string.event_not_told)), event = Event.Unknown)))
        put("maintenance, news", screenOf(maintained.copy(lastEvent = AgentEvent.ReportAcknowledged)))
        put("not enrolled, later", screenOf(Situation(true, states["not enrolled"], managed = ScreensTest.LATER)))
        put("not enrolled, old key", screenOf(Situation(true, states["not enrolled"], hasOldKey = true)))
        put("not enrolled, old key refused", screenOf(Situation(true, states["not enrolled"], notice = keyRefused)))
        put("not enrolled, no scanner", screenOf(Situation(true, states["not enrolled"], scanner = SetUpOutcome(SetUpOutcome.Kind.FAILED, "PLUGIN_NOT_SUPPORTED"))))
        put("confirm, gives up enrolling", screenOf(Situation(true, states["enrolling"], step = confirm.copy(replaces = true))))
        put("confirm, gives up", screenOf(Situation(true, states["revoked"], step = confirm.copy(replaces = true))))
        put("opening", screenOf(Situation(true)))
        put("unusable", screenOf(Situation(true, unusable = ScreensTest.error(ErrorCode.VAULT_UNWRITABLE, "full"))))
        put("type", screenOf(Situation(true, states["not enrolled"], step = Step.Type)))
        put("confirm", screenOf(Situation(true, states["not enrolled"], step = confirm)))
        put("confirm, mapped", screenOf(Situation(true, states["not enrolled"], step = confirm.copy(enrolment = ScreensTest.MAPPED))))
        put("confirm, replaces", screenOf(Situation(true, states["rejected"], step = confirm.copy(replaces = true))))
        put("revoke", screenOf(enrolled.copy(step = Step.Revoke)))
        put("not enrolled, refused", screenOf(Situation(true, states["not enrolled"], notice = refused)))
    }

    private fun draw(name: String, screen: Screen): Activity {
        val activity = Robolectric.buildActivity(Activity::class.java).setup().get()
        activity.setContentView(R.layout.screen)
        ScreenView(activity.window.decorView, onAction = {}).show(screen)
        val metrics = activity.resources.displayMetrics
        val root = activity.window.decorView
        root.measure(exactly(metrics.widthPixels), exactly(metrics.heightPixels))
        root.layout(0, 0, metrics.widthPixels, metrics.heightPixels)
        return activity
    }

    private fun picture(root: View, name: String): Bitmap {
        val picture = Bitmap.createBitmap(root.width, root.height, Bitmap.Config.ARGB_8888)
        root.draw(Canvas(picture))
        System.getProperty("gatehand.pictures")?.let { folder ->
            val language = root.resources.configuration.locales[0].language
            val file = File(folder, "$name-$language-${android.os.Build.VERSION.SDK_INT}.png")
            file.parentFile?.mkdirs()
            file.outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }
        }
        return picture
    }

    private fun exactly(pixels: Int) = View.MeasureSpec.makeMeasureSpec(pixels, View.MeasureSpec.EXACTLY)

    private fun views(view: View): List<View> = when {
        view.visibility != View.VISIBLE -> emptyList()
        view is ViewGroup -> listOf(view) + (0 until view.childCount).flatMap { views(view.getChildAt(it)) }
        else -> listOf(view)
    }

    private fun check(name: String, screen: Screen) {
        val root = draw(name, screen).window.decorView
        val density = root.resources.displayMetrics.density
        val all = views(root)
        val buttons = all.filterIsInstance<ButtonView>()
        for (button in buttons) {
            assertTrue(button.height >= FINGER_DP * density, "$name: \"${button.text}\" is too small for a finger")
        }
        for (text in all.filterIsInstance<TextView>()) {
            val layout = checkNotNull(text.layout)
            assertTrue((0 until layout.lineCount).all { layout.getEllipsisCount(it) == 0 }, "$name: \"${text.text}\" is cut off")
            assertTrue(text.textSize >= READABLE_SP * density, "$name: \"${text.text}\" is too small to read")
            assertEquals(text.text.toString().trimEnd(), text.text.toString(), name)
        }
        for (value in all.filterIsInstance<TextView>().filter { it.id == R.id.fact_value || it.id == R.id.subject }) {
            val layout = checkNotNull(value.layout)
            val ends = (0 until layout.lineCount - 1).map { value.text[layout.getLineEnd(it) - 1] }
            assertTrue(ends.all { it == ' ' || it == '\u200B' }, "$name: \"${value.text}\" is broken within a word")
        }
        for (label in all.filter { it.id == R.id.fact_label }.filterIsInstance<TextView>()) {
            assertEquals(1, label.lineCount, "$name: \"${label.text}\" is broken into lines")
        }
        val inSight = Rect()
        for (label in screen.buttons.take(2).map { root.resources.getString(it.label) }) {
            val button = buttons.single { it.text.toString() == label }
            val isSeen = button.getGlobalVisibleRect(inSight) && inSight.height() == button.height
            assertTrue(isSeen, "$name: \"$label\" is below the edge")
        }
        val content = checkNotNull(root.findViewById<View>(R.id.content))
        assertContrast(name, root, content, all)
        assertTrue(content.height >= READABLE_PART * root.height, "$name: the buttons leave no room to read")
    }

    /** Looks at the screen as it is first seen and, where it goes on below, at its end too. */
    private fun assertContrast(name: String, root: View, content: View, all: List<View>) {
        val first = picture(root, name)
        assertContrast(name, first, all)
        if (!content.canScrollVertically(1)) return
        val bar = checkNotNull(seen(content)).apply { left = right - pixels(root, BAR_DP) }
        val contrast = Contrast.of(first, bar)
        assertTrue(contrast >= CONTRAST, "$name: that it goes on below has a contrast of $contrast")
        bar.right += pixels(root, BAR_DP)
        val buttons = all.filterIsInstance<ButtonView>().filter { (it.parent as View).id == R.id.first_buttons }
        assertTrue(buttons.none { Rect.intersects(checkNotNull(seen(it)), bar) }, "$name: a button touches the scroll bar")
        content.scrollBy(0, root.height * 10)
        assertContrast("$name, below", picture(root, "$name, below"), all)
        content.scrollTo(0, 0)
    }

    /** Texts can be told from what they are drawn on, in the sun: those of disabled buttons, and hints, too. */
    private fun assertContrast(name: String, picture: Bitmap, all: List<View>) {
        for (text in all.filterIsInstance<TextView>()) {
            val place = seen(text) ?: continue
            // Without the frames of buttons and fields.
            if (text is ButtonView || text is EditText) place.inset(pixels(text, FRAME_DP), pixels(text, FRAME_DP))
            // Of what is cut off by the edge there may be no letter in sight.
            if (place.height() < pixels(text, READABLE_SP)) continue
            val contrast = Contrast.of(picture, place)
            assertTrue(contrast >= CONTRAST, "$name: \"${text.text.ifEmpty { text.hint }}\" has a contrast of $contrast")
        }
    }

    private fun seen(view: View): Rect? = Rect().takeIf(view::getGlobalVisibleRect)

    private fun pixels(view: View, dp: Int): Int = (dp * view.resources.displayMetrics.density).toInt()

    @Test
    fun what_to_do_first_is_seen_without_scrolling_and_nothing_is_small_or_cut_off() {
        for (language in listOf("+en", "+de")) {
            RuntimeEnvironment.setQualifiers(language)
            for ((name, screen) in screens) check(name, screen)
        }
    }

    @Test
    @Config(qualifiers = "w485dp-h296dp-normal-notlong-land-hdpi")
    fun the_same_holds_when_the_device_lies() {
        for (language in listOf("+en", "+de")) {
            RuntimeEnvironment.setQualifiers(language)
            for ((name, screen) in screens) check("$name, lying", screen)
        }
    }

    private companion object {
        const val FINGER_DP = 56
        const val READABLE_SP = 16
        const val READABLE_PART = 0.4
        const val CONTRAST = 7.0
        const val FRAME_DP = 8
        const val BAR_DP = 4
    }
}
