package io.gatehand.sample

import android.content.Context
import android.util.Base64
import io.gatehand.Agent
import io.gatehand.ExistingIdentity
import io.gatehand.GatehandException
import io.gatehand.testing.OldApp
import io.gatehand.testing.StandInKey
import io.gatehand.testing.TestDevice
import io.gatehand.testing.TestGateway
import io.gatehand.testing.TestServer
import java.net.HttpURLConnection
import java.net.URI
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.robolectric.annotation.Config

/** A device that this app set up before it used gatehand. */
@Config(application = RestartingApp::class)
class OldKeyTest : ServerTest() {
    private val gateway = TestGateway { server.address }

    @After
    fun closeTheGateway() {
        gateway.close()
    }

    private val preferences get() = gate.app.getSharedPreferences(OldKey.FILE, Context.MODE_PRIVATE)

    private fun keep(key: String, serial: String?, mediaKey: String? = null): Boolean = preferences.edit()
        .putString(OldKey.SERVER, gateway.address)
        .putString(OldKey.KEY, key)
        .putString(OldKey.SERIAL, serial)
        .putString(OldKey.MEDIA_KEY, mediaKey)
        .commit()

    private fun oldDevice(): OldApp =
        server.enrolWithout(server.createDevice("Lane 8")).also { assertTrue(keep(it.key, it.uniqueSerial)) }

    /** The same, whose management has set a code meanwhile. */
    private fun managedOldDevice(): Pair<OldApp, TestDevice> {
        val old = oldDevice()
        return Pair(old, server.createDevice("Lane 4").also { manage(it, server.address) })
    }

    private fun statusFor(key: String): Int {
        val call = URI("${server.address}/api/v1/device/info").toURL().openConnection() as HttpURLConnection
        call.setRequestProperty("Authorization", "Device $key")
        return call.responseCode
    }

    private fun isKept() = preferences.contains(OldKey.KEY)

    private fun awaitTheEnd() {
        gate.await("the end of the work") { gate.app.model.screen.value.busy == null }
    }

    /** The vault has the old device's key or a newer one, and the old one is dead and gone. */
    private fun assertMoved(old: OldApp) {
        gate.sees(R.string.enrolled_title)
        gate.sees("Lane 8")
        gate.press(R.string.maintain)
        gate.sees(old.uniqueSerial)
        gate.await("the end of the move") { !isKept() }
        assertEquals(401, statusFor(old.key))
        gate.maintain(R.string.call)
        gate.seesPart("The server knows this device as “Lane 8”.")
    }

    private fun assertKeptAndAlive(old: OldApp) {
        assertTrue(isKept())
        assertEquals(200, statusFor(old.key))
    }

    private fun assertNothingIsWrong() {
        awaitTheEnd()
        val notice = gate.app.model.screen.value.notice
        assertTrue(notice == null || notice.tone == Tone.GOOD, "$notice")
    }

    /** Does a part of the move, as a process does that ends then. */
    private fun inAProcessThatEnds(block: suspend (Agent) -> Unit) {
        runBlocking { block(gate.app.agent.get()) }
        (gate.app as RestartingApp).end()
    }

    private fun existing(old: OldApp, serial: String? = old.uniqueSerial) = ExistingIdentity(gateway.address, old.key, serial)

    @Test
    fun it_stays_the_same_device_and_the_key_in_the_preferences_dies() {
        val old = oldDevice()
        assertEquals(200, statusFor(old.key))
        gate.open()
        assertMoved(old)
        assertEquals(1, server.devices().size)
    }

    @Test
    fun an_app_that_does_not_know_its_serial_stays_the_same_device_too() {
        val old = oldDevice()
        keep(old.key, serial = null)
        gate.open()
        assertMoved(old)
    }

    @Test
    fun nor_does_an_empty_serial_matter() {
        val old = oldDevice()
        keep(old.key, serial = " ")
        gate.open()
        assertMoved(old)
    }

    @Test
    fun an_empty_key_is_none() {
        keep(" ", serial = null)
        gate.open()
        gate.sees(R.string.not_enrolled_title)
        assertNothingIsWrong()
    }

    @Test
    fun a_code_of_its_management_does_not_make_it_another_device() {
        val (old, other) = managedOldDevice()
        gate.open()
        assertMoved(old)
        gate.restart()
        gate.sees("Lane 8")
        awaitTheEnd()
        assertNothingWasSentFor(other)
    }

    @Test
    fun nor_does_a_job_without_a_screen() {
        val (old, other) = managedOldDevice()
        assertFalse(gate.runJob())
        assertFalse(isKept())
        gate.open()
        assertMoved(old)
        assertNothingWasSentFor(other)
    }

    @Test
    fun a_job_whose_server_is_away_comes_again_and_moves_the_key() {
        val (old, other) = managedOldDevice()
        server.stop()
        assertTrue(gate.runJob())
        server.restart()
        assertKeptAndAlive(old)
        assertFalse(gate.runJob())
        gate.open()
        assertMoved(old)
        assertNothingWasSentFor(other)
    }

    @Test
    fun a_key_whose_server_is_away_is_kept_and_tried_again() {
        val old = oldDevice()
        server.stop()
        gate.open()
        gate.sees(R.string.old_key_waits)
        assertTrue(isKept())
        server.restart()
        gate.press(R.string.try_again)
        assertMoved(old)
    }

    @Test
    fun a_key_that_a_gateway_refuses_is_kept_and_tried_again() {
        val old = oldDevice()
        gateway.answers(403, paths = setOf(TestGateway.INFO))
        gate.open()
        gate.sees(R.string.old_key_waits)
        gate.sees(R.string.error_refused)
        assertKeptAndAlive(old)
        gateway.answer = null
        gate.press(R.string.try_again)
        assertMoved(old)
    }

    @Test
    fun a_process_that_ends_after_the_vault_had_the_key_is_followed_by_one_that_goes_on() {
        val old = oldDevice()
        inAProcessThatEnds { it.adopt(existing(old)) }
        assertKeptAndAlive(old)
        gate.open()
        assertMoved(old)
    }

    @Test
    fun the_same_goes_for_an_app_that_does_not_know_its_serial() {
        val old = oldDevice()
        keep(old.key, serial = null)
        inAProcessThatEnds { it.adopt(existing(old, serial = null)) }
        gate.open()
        assertMoved(old)
    }

    @Test
    fun a_key_that_could_not_be_replaced_is_kept_until_it_is() {
        val old = oldDevice()
        keep(old.key, serial = null)
        gateway.answers(403, paths = setOf(TestGateway.ROLL))
        gate.open()
        gate.sees("Lane 8")
        awaitTheEnd()
        assertKeptAndAlive(old)
        gateway.answer = null
        assertFalse(gate.runJob())
        assertMoved(old)
    }

    @Test
    fun a_process_that_ends_before_it_heard_of_the_new_key_is_followed_by_one_that_goes_on() {
        val old = oldDevice()
        keep(old.key, serial = null)
        gateway.unanswered = setOf(TestGateway.ROLL)
        gate.open()
        gate.sees("Lane 8")
        awaitTheEnd()
        assertTrue(isKept())
        assertEquals(401, statusFor(old.key))
        gate.restart { gateway.unanswered = emptySet() }
        assertMoved(old)
    }

    @Test
    fun a_process_that_ends_after_the_key_was_replaced_is_followed_by_one_that_deletes_the_copy() {
        val old = oldDevice()
        inAProcessThatEnds {
            it.adopt(existing(old))
            it.roll()
        }
        assertTrue(isKept())
        gate.open()
        assertMoved(old)
    }

    @Test
    fun a_key_of_another_device_than_this_one_is_by_now_is_kept_and_nobody_is_asked_about_it() {
        val old = oldDevice()
        server.stop()
        gate.open()
        gate.sees(R.string.old_key_waits)
        server.restart()
        val device = server.createDevice("Lane 9")
        gate.scan(device.code)
        gate.press(R.string.confirm_yes)
        gate.sees("Lane 9")
        repeat(2) {
            gate.restart()
            gate.sees("Lane 9")
            assertFalse(gate.runJob())
            assertNothingIsWrong()
            assertKeptAndAlive(old)
        }
        assertFalse(server.device(device.id).getBoolean("revoked"))
    }

    @Test
    fun a_key_of_another_device_than_it_is_said_to_be_does_not_keep_this_one_from_a_new_code() {
        val (old, other) = managedOldDevice()
        keep(old.key, "ABCDEFGHIJKLMNOP")
        gate.open()
        gate.sees(R.string.error_other_device)
        assertFalse(gate.shows(R.string.old_key_waits))
        assertNothingWasSentFor(other)
        gate.restart()
        gate.sees("Lane 4")
        awaitTheEnd()
        assertKeptAndAlive(old)
    }

    @Test
    fun a_key_that_was_revoked_or_that_nobody_knows_is_told_once() {
        val device = server.createDevice("Lane 8")
        val revoked = server.enrolWithout(device).key
        server.revoke(device.id)
        gate.open()
        gate.sees(R.string.not_enrolled_title)
        for (dead in listOf(revoked, "k".repeat(revoked.length))) {
            preferences.edit().clear().commit()
            keep(dead, serial = null)
            gate.restart()
            gate.sees(R.string.old_key_refused)
            gate.restart()
            gate.sees(R.string.not_enrolled_title)
            assertNothingIsWrong()
            assertTrue(isKept())
        }
    }

    /** A device that has reported the RSA key [REPORTED], of an app that says it is [alias]. */
    private fun deviceWithMediaKey(alias: String): OldApp {
        server.admin("media-keys", "create", TestServer.ORGANIZER, "7")
        keystore.put(REPORTED, StandInKey())
        val encoded = Base64.encodeToString(keystore.publicKey(REPORTED).encoded, Base64.DEFAULT)
        val pem = "-----BEGIN PUBLIC KEY-----\n$encoded-----END PUBLIC KEY-----"
        return server.enrolWithout(server.createDevice("Lane 8"), pem).also { assertTrue(keep(it.key, it.uniqueSerial, alias)) }
    }

    private fun mediaKeys(): List<Long> = runBlocking { gate.app.agent.get().mediumKeySets() }.map { it.publicId }

    @Test
    fun its_key_for_nfc_media_goes_along() {
        val old = deviceWithMediaKey(REPORTED)
        gate.open()
        assertMoved(old)
        assertEquals(listOf(7L), mediaKeys())
    }

    private fun assertTakenWithoutMediaKey(old: OldApp, words: Int) {
        gate.open()
        gate.sees(words)
        assertMoved(old)
        assertFailsWith<GatehandException> { mediaKeys() }
    }

    @Test
    fun a_key_for_nfc_media_that_is_gone_keeps_no_device_from_its_gate() {
        assertTakenWithoutMediaKey(deviceWithMediaKey("gone"), R.string.error_media_key_unusable)
    }

    @Test
    fun a_key_for_nfc_media_that_can_not_decrypt_keeps_no_device_from_its_gate() {
        val old = deviceWithMediaKey("aes")
        keystore.put("aes", StandInKey("AES"))
        assertTakenWithoutMediaKey(old, R.string.error_media_key_unusable)
    }

    @Test
    fun another_key_for_nfc_media_than_was_reported_keeps_no_device_from_its_gate() {
        val old = deviceWithMediaKey("other")
        keystore.put("other", StandInKey())
        assertTakenWithoutMediaKey(old, R.string.error_other_media_key)
    }

    private companion object {
        const val REPORTED = "device"
    }
}
