package io.gatehand.datawedge

import android.app.Application
import android.content.Intent
import android.content.pm.PackageInfo
import android.content.pm.Signature
import android.content.pm.SigningInfo
import android.os.Build
import android.os.Bundle
import android.os.Looper
import io.gatehand.datawedge.SetUpOutcome.Kind
import java.security.MessageDigest
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowSigningInfo

@RunWith(RobolectricTestRunner::class)
class DataWedgeTest {
    private val app: Application = RuntimeEnvironment.getApplication()
    private val scans = ArrayList<String>()
    private val outcomes = ArrayList<String>()
    private val listener = object : DataWedgeListener {
        override fun onScan(text: String) {
            scans.add(text)
        }

        override fun onSetUp(outcome: SetUpOutcome) {
            outcomes.add("$outcome")
        }
    }
    private var dataWedge = DataWedge(app, listener)

    /** What DataWedge holds. */
    private val profiles = arrayListOf("Profile0 (default)")

    private fun install(version: String) {
        val info = PackageInfo().apply {
            packageName = DataWedgeService.PACKAGE
            versionName = version
        }
        shadowOf(app.packageManager).installPackage(info)
    }

    @Suppress("DEPRECATION") // What replaces it needs Android 9.
    private fun sign(vararg certificates: String) {
        val signatures = certificates.map { Signature(it.encodeToByteArray()) }.toTypedArray()
        val info = shadowOf(app.packageManager).getInternalMutablePackageInfo(app.packageName)
        info.signatures = signatures
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) {
            val signing = SigningInfo()
            Shadow.extract<ShadowSigningInfo>(signing).apply {
                setSignatures(signatures.takeLast(1).toTypedArray())
                setPastSigningCertificates(signatures)
            }
            info.signingInfo = signing
        }
    }

    private fun asked(): List<Intent> = shadowOf(app).broadcastIntents.filter { it.action == DataWedgeService.API }

    private fun sent(): List<Intent> = asked().filter { it.hasExtra(DataWedgeService.SET_CONFIG) }

    private fun Intent.profile(): Bundle = assertNotNull(getBundleExtra(DataWedgeService.SET_CONFIG))

    private fun Intent.plugin(): Bundle = assertNotNull(profile().getBundle("PLUGIN_CONFIG"))

    private fun Intent.parameters(): Bundle = assertNotNull(plugin().getBundle("PARAM_LIST"))

    private fun Intent.parameter(name: String): String? = parameters().getString(name)

    @Suppress("DEPRECATION") // What replaces it needs Android 13.
    private fun Intent.receivers(): List<Pair<String?, String?>>? =
        parameters().getParcelableArrayList<Bundle>("intent_component_info")?.map { it.getString("PACKAGE_NAME") to it.getString("SIGNATURE") }

    private fun plugins() = sent().map { it.plugin().getString("PLUGIN_NAME") }

    private fun modes() = sent().map { it.profile().getString("CONFIG_MODE") }

    private fun idle() = shadowOf(Looper.getMainLooper()).idle()

    private fun later(millis: Long) = shadowOf(Looper.getMainLooper()).idleFor(millis, TimeUnit.MILLISECONDS)

    private fun broadcast(answer: Intent) {
        app.sendBroadcast(answer.setAction(DataWedgeService.RESULT_ACTION).addCategory(Intent.CATEGORY_DEFAULT))
        idle()
    }

    /** What DataWedge sends when asked for its profiles. */
    private fun tellProfiles() = broadcast(Intent().putExtra(DataWedgeService.PROFILES_LIST, profiles.toTypedArray()))

    /** What DataWedge sends when it has done, or not done, what [command] asked for. */
    private fun answer(command: Intent, failure: String? = null) {
        if (failure == null) profiles.add(app.packageName)
        broadcast(
            Intent().putExtra("COMMAND", DataWedgeService.SET_CONFIG)
                .putExtra("COMMAND_IDENTIFIER", command.getStringExtra("COMMAND_IDENTIFIER"))
                .putExtra("RESULT", if (failure == null) "SUCCESS" else "FAILURE")
                .putExtra("RESULT_INFO", Bundle().apply { failure?.let { putString("RESULT_CODE", it) } }),
        )
    }

    private fun begin(version: String = "8.2.709") {
        install(version)
        dataWedge.setUp()
        dataWedge.start()
        tellProfiles()
    }

    private fun setUpWholly(version: String = "8.2.709"): List<Intent> {
        begin(version)
        repeat(3) { answer(sent().last()) }
        return sent()
    }

    /** Another process of the app, with nothing but what was kept. */
    private fun restart() {
        dataWedge.stop()
        shadowOf(app).clearBroadcastIntents()
        outcomes.clear()
        dataWedge = DataWedge(app, listener)
    }

    private fun scan(text: String?) {
        val intent = Intent(dataWedge.scanAction).addCategory(Intent.CATEGORY_DEFAULT)
        app.sendBroadcast(intent.putExtra("com.symbol.datawedge.data_string", text))
        idle()
    }

    private fun sha1(text: String) =
        MessageDigest.getInstance("SHA-1").digest(text.encodeToByteArray()).joinToString("") { "%02X".format(it) }

    @Suppress("DEPRECATION") // What replaces it needs Android 13.
    private fun Bundle.apps(): List<Bundle> = getParcelableArray("APP_LIST").orEmpty().map { it as Bundle }

    @Test
    fun the_profile_is_for_this_app_alone_and_sent_to_datawedge_alone() {
        val parts = setUpWholly()
        assertEquals(setOf<String?>(DataWedgeService.PACKAGE), asked().map { it.`package` }.toSet())
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
    fun what_was_read_goes_to_apps_of_this_name_and_certificate_alone_from_version_8_on() {
        sign("certificate")
        for ((version, secret) in listOf("6.7.48" to false, "7.6.1" to false, "8.0.12" to true, "11.4.5" to true, "odd" to true)) {
            restart()
            profiles.clear()
            val intent = setUpWholly(version)[1]
            val receivers = if (secret) listOf(app.packageName to sha1("certificate")) else null
            assertEquals<Any?>(receivers, intent.receivers(), version)
        }
    }

    @Test
    @Config(sdk = [35])
    fun an_app_whose_certificate_was_rotated_names_all_of_them() {
        sign("old", "new")
        assertEquals(listOf(sha1("old"), sha1("new")), assertNotNull(setUpWholly()[1].receivers()).map { it.second })
    }

    @Test
    fun a_profile_of_this_version_is_not_touched_again() {
        sign("certificate")
        setUpWholly()
        restart()
        begin()
        assertEquals(emptyList(), sent())
        assertEquals(listOf("READY"), outcomes)
    }

    @Test
    fun a_profile_that_is_gone_is_made_again() {
        setUpWholly()
        restart()
        profiles.clear()
        begin()
        assertEquals(listOf<String?>("BARCODE"), plugins())
        assertEquals(emptyList(), outcomes)
    }

    @Test
    fun a_profile_of_another_version_is_made_again() {
        sign("certificate")
        setUpWholly("7.6.1")
        restart()
        begin("8.0.12")
        assertEquals(listOf<String?>("BARCODE"), plugins())
        restart()
        setUpWholly("8.0.12")
        restart()
        sign("another")
        begin("8.0.12")
        assertEquals(listOf<String?>("BARCODE"), plugins())
    }

    @Test
    fun one_that_is_there_is_changed_in_all_its_parts_and_not_made_only_if_it_is_not() {
        setUpWholly("7.6.1")
        assertEquals(listOf<String?>("CREATE_IF_NOT_EXIST", "UPDATE", "UPDATE"), modes())
        restart()
        sign("certificate")
        setUpWholly("8.0.12")
        assertEquals(listOf<String?>("UPDATE", "UPDATE", "UPDATE"), modes())
    }

    @Test
    fun a_profile_that_was_not_made_wholly_is_made_again() {
        begin()
        answer(sent().last())
        restart()
        begin()
        assertEquals(listOf<String?>("BARCODE"), plugins())
        answer(sent().last())
        answer(sent().last(), "PARAMETER_INVALID")
        restart()
        begin()
        assertEquals(listOf<String?>("BARCODE"), plugins())
    }

    @Test
    fun another_profile_of_the_app_is_left_and_told_as_such() {
        begin()
        answer(sent().last(), "APP_ALREADY_ASSOCIATED")
        later(DataWedge.ANSWER_MILLIS)
        assertEquals(listOf("OTHER_PROFILE"), outcomes)
        assertEquals(listOf<String?>("BARCODE"), plugins())
        // Once it is gone, ours is made.
        restart()
        setUpWholly()
        assertEquals(listOf("READY"), outcomes)
    }

    @Test
    fun a_part_is_sent_once_the_one_before_it_is_done() {
        install("8.2.709")
        dataWedge.setUp()
        assertEquals(emptyList(), asked())
        dataWedge.start()
        assertEquals(emptyList(), sent())
        tellProfiles()
        assertEquals(listOf<String?>("BARCODE"), plugins())
        // Another app asked, too.
        tellProfiles()
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
        assertEquals(listOf("READY"), outcomes)
        later(DataWedge.ANSWER_MILLIS)
        assertEquals(listOf("READY"), outcomes)
    }

    @Test
    fun a_profile_that_is_there_already_is_no_failure() {
        begin("6.7.48")
        answer(sent().last(), "PROFILE_ALREADY_EXIST")
        assertEquals(listOf<String?>("BARCODE", "INTENT"), plugins())
    }

    @Test
    fun what_datawedge_refuses_ends_the_set_up_and_is_told() {
        begin()
        answer(sent().last(), "PLUGIN_NOT_SUPPORTED")
        later(DataWedge.ANSWER_MILLIS)
        assertEquals(listOf("FAILED (PLUGIN_NOT_SUPPORTED)"), outcomes)
        assertEquals(listOf<String?>("BARCODE"), plugins())
        dataWedge.setUp()
        tellProfiles()
        repeat(3) { answer(sent().last()) }
        assertEquals(listOf("FAILED (PLUGIN_NOT_SUPPORTED)", "READY"), outcomes)
    }

    @Test
    fun what_is_no_word_of_datawedge_s_is_not_passed_on() {
        begin()
        answer(sent().last(), "A B\nC")
        assertEquals(listOf("FAILED (FAILURE)"), outcomes)
    }

    @Test
    fun several_codes_come_in_an_array() {
        begin()
        broadcast(
            Intent().putExtra("COMMAND_IDENTIFIER", sent().last().getStringExtra("COMMAND_IDENTIFIER"))
                .putExtra("RESULT", "FAILURE")
                .putExtra("RESULT_INFO", Bundle().apply { putStringArray("RESULT_CODE", arrayOf("APP_ALREADY_ASSOCIATED")) }),
        )
        assertEquals(listOf("OTHER_PROFILE"), outcomes)
    }

    @Test
    fun a_datawedge_that_does_not_answer_is_told_too() {
        install("8.2.709")
        dataWedge.setUp()
        dataWedge.start()
        // That it does not tell its profiles is no reason not to try.
        later(DataWedge.ANSWER_MILLIS)
        assertEquals(listOf<String?>("BARCODE"), plugins())
        later(DataWedge.ANSWER_MILLIS)
        assertEquals(listOf("FAILED (NO_ANSWER)"), outcomes)
    }

    @Test
    fun a_datawedge_that_knows_no_answers_gets_all_parts_nevertheless() {
        install("6.4.2")
        dataWedge.setUp()
        dataWedge.start()
        later(4 * DataWedge.PAUSE_MILLIS)
        assertEquals(listOf<String?>("BARCODE", "INTENT", "KEYSTROKE"), plugins())
        assertEquals(listOf("READY"), outcomes)
    }

    @Test
    fun answers_are_asked_for_in_the_words_of_its_version() {
        assertEquals(setOf<String?>("true"), setUpWholly("7.0.4").map { it.getStringExtra("SEND_RESULT") }.toSet())
        restart()
        profiles.clear()
        assertEquals(setOf<String?>("LAST_RESULT"), setUpWholly("7.1.2").map { it.getStringExtra("SEND_RESULT") }.toSet())
    }

    @Test
    fun a_set_up_that_is_broken_off_goes_on_with_the_next_screen() {
        begin()
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
        assertEquals(emptyList(), asked())
        assertFalse(DataWedge.isHere(app))
        install("8.2.709")
        assertTrue(DataWedge.isHere(app))
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

    @Test
    fun an_outcome_says_what_it_is() {
        assertEquals("FAILED (NO_ANSWER)", "${SetUpOutcome(Kind.FAILED, SetUpOutcome.NO_ANSWER)}")
        assertNull(SetUpOutcome(Kind.READY).code)
    }
}
