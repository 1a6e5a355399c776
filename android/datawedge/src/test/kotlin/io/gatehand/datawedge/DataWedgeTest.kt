package io.gatehand.sample

import android.app.Application
import android.content.Intent
import android.content.pm.PackageInfo
import android.os.Bundle
import android.os.Looper
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

@RunWith(RobolectricTestRunner::class)
class DataWedgeTest {
    private val app: Application = RuntimeEnvironment.getApplication()
    private val scans = ArrayList<String>()
    private val outcomes = ArrayList<String?>()
    private val dataWedge = DataWedge(app, scans::add, outcomes::add)

    private fun install(version: String) {
        val info = PackageInfo().apply {
            packageName = DataWedge.SERVICE
            versionName = version
        }
        shadowOf(app.packageManager).installPackage(info)
    }

    private fun sent(): List<Intent> = shadowOf(app).broadcastIntents.filter { it.action == DataWedge.API }

    private fun Intent.profile(): Bundle = assertNotNull(getBundleExtra(DataWedge.SET_CONFIG))

    private fun Intent.plugin(): Bundle = assertNotNull(profile().getBundle("PLUGIN_CONFIG"))

    private fun Intent.parameter(name: String): String? = plugin().getBundle("PARAM_LIST")?.getString(name)

    private fun plugins() = sent().map { it.plugin().getString("PLUGIN_NAME") }

    private fun idle() = shadowOf(Looper.getMainLooper()).idle()

    private fun later(millis: Long) = shadowOf(Looper.getMainLooper()).idleFor(millis, TimeUnit.MILLISECONDS)

    /** What DataWedge sends when it has done, or not done, what [command] asked for. */
    private fun answer(command: Intent, failure: String? = null) {
        val result = Intent(DataWedge.RESULT_ACTION).addCategory(Intent.CATEGORY_DEFAULT)
            .putExtra("COMMAND", DataWedge.SET_CONFIG)
            .putExtra("COMMAND_IDENTIFIER", command.getStringExtra("COMMAND_IDENTIFIER"))
            .putExtra("RESULT", if (failure == null) "SUCCESS" else "FAILURE")
            .putExtra("RESULT_INFO", Bundle().apply { failure?.let { putString("RESULT_CODE", it) } })
        app.sendBroadcast(result)
        idle()
    }

    private fun setUpWholly(version: String = "8.2.709"): List<Intent> {
        install(version)
        dataWedge.setUp()
        dataWedge.start()
        repeat(3) { answer(sent().last()) }
        return sent()
    }

    private fun scan(text: String?) {
        val intent = Intent("${app.packageName}.SCAN").addCategory(Intent.CATEGORY_DEFAULT)
        app.sendBroadcast(intent.putExtra("com.symbol.datawedge.data_string", text))
        idle()
    }

    @Suppress("DEPRECATION") // What replaces it needs Android 13.
    private fun Bundle.apps(): List<Bundle> = getParcelableArray("APP_LIST").orEmpty().map { it as Bundle }

    @Test
    fun the_profile_is_for_this_app_alone_and_sent_to_datawedge_alone() {
        val parts = setUpWholly()
        assertEquals(setOf<String?>(DataWedge.SERVICE), parts.map { it.`package` }.toSet())
        assertEquals(setOf<String?>(app.packageName), parts.map { it.profile().getString("PROFILE_NAME") }.toSet())
        assertEquals("CREATE_IF_NOT_EXIST", parts.first().profile().getString("CONFIG_MODE"))
        val association = parts.first().profile().apps().single()
        assertEquals(app.packageName, association.getString("PACKAGE_NAME"))
        assertContentEquals(arrayOf("*"), association.getStringArray("ACTIVITY_LIST"))
    }

    @Test
    fun codes_come_as_a_broadcast_and_not_as_keys_too() {
        val (barcode, intent, keystroke) = setUpWholly()
        assertEquals("true", barcode.parameter("decoder_qrcode"))
        assertEquals("2", intent.parameter("intent_delivery"))
        assertEquals("${app.packageName}.SCAN", intent.parameter("intent_action"))
        assertEquals(Intent.CATEGORY_DEFAULT, intent.parameter("intent_category"))
        assertEquals("false", keystroke.parameter("keystroke_output_enabled"))
    }

    @Test
    fun a_part_is_sent_once_the_one_before_it_is_done() {
        install("8.2.709")
        dataWedge.setUp()
        assertEquals(emptyList(), sent())
        dataWedge.start()
        assertEquals(listOf<String?>("BARCODE"), plugins())
        answer(Intent().putExtra("COMMAND_IDENTIFIER", "another app's"), "BUNDLE_EMPTY")
        assertEquals(listOf<String?>("BARCODE"), plugins())
        answer(sent().last())
        assertEquals(listOf<String?>("BARCODE", "INTENT"), plugins())
        // The same answer again is not one to what was asked since.
        answer(sent().first(), "BUNDLE_EMPTY")
        answer(sent().last())
        assertEquals(emptyList(), outcomes)
        answer(sent().last())
        assertEquals(listOf<String?>("BARCODE", "INTENT", "KEYSTROKE"), plugins())
        assertEquals(listOf<String?>(null), outcomes)
        later(DataWedge.ANSWER_MILLIS)
        assertEquals(listOf<String?>(null), outcomes)
    }

    @Test
    fun a_profile_that_is_there_already_is_no_failure() {
        install("6.7.48")
        dataWedge.setUp()
        dataWedge.start()
        answer(sent().last(), "PROFILE_ALREADY_EXIST")
        assertEquals(listOf<String?>("BARCODE", "INTENT"), plugins())
    }

    @Test
    fun what_datawedge_refuses_ends_the_set_up_and_is_told() {
        install("8.2.709")
        dataWedge.setUp()
        dataWedge.start()
        answer(sent().last(), "APP_ALREADY_ASSOCIATED")
        later(DataWedge.ANSWER_MILLIS)
        assertEquals(listOf<String?>("APP_ALREADY_ASSOCIATED"), outcomes)
        assertEquals(listOf<String?>("BARCODE"), plugins())
        dataWedge.setUp()
        repeat(3) { answer(sent().last()) }
        assertEquals(listOf("APP_ALREADY_ASSOCIATED", null), outcomes)
    }

    @Test
    fun a_datawedge_that_does_not_answer_is_told_too() {
        install("8.2.709")
        dataWedge.setUp()
        dataWedge.start()
        later(DataWedge.ANSWER_MILLIS)
        assertEquals(listOf<String?>(DataWedge.NO_ANSWER), outcomes)
    }

    @Test
    fun a_datawedge_that_knows_no_answers_gets_all_parts_nevertheless() {
        install("6.4.2")
        dataWedge.setUp()
        dataWedge.start()
        later(3 * DataWedge.PAUSE_MILLIS)
        assertEquals(listOf<String?>("BARCODE", "INTENT", "KEYSTROKE"), plugins())
        assertEquals(listOf<String?>(null), outcomes)
    }

    @Test
    fun answers_are_asked_for_in_the_words_of_its_version() {
        assertEquals(setOf<String?>("true"), setUpWholly("7.0.4").map { it.getStringExtra("SEND_RESULT") }.toSet())
        shadowOf(app).clearBroadcastIntents()
        assertEquals(setOf<String?>("LAST_RESULT"), setUpWholly("7.1.2").map { it.getStringExtra("SEND_RESULT") }.toSet())
    }

    @Test
    fun a_set_up_that_is_broken_off_goes_on_with_the_next_screen() {
        install("8.2.709")
        dataWedge.setUp()
        dataWedge.start()
        answer(sent().last())
        dataWedge.stop()
        later(DataWedge.ANSWER_MILLIS)
        assertEquals(emptyList(), outcomes)
        dataWedge.start()
        assertEquals(listOf<String?>("BARCODE", "INTENT", "INTENT"), plugins())
    }

    @Test
    fun a_device_without_datawedge_is_sent_nothing() {
        dataWedge.setUp()
        dataWedge.start()
        assertEquals(emptyList(), sent())
    }

    @Test
    fun codes_are_heard_while_it_listens() {
        scan("too early")
        dataWedge.start()
        dataWedge.start()
        scan("{\"handshake_version\": 1}")
        scan("")
        scan(null)
        dataWedge.stop()
        dataWedge.stop()
        scan("too late")
        assertEquals(listOf("{\"handshake_version\": 1}"), scans)
    }
}
