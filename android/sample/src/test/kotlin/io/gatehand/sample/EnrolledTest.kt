package io.gatehand.sample

import io.gatehand.testing.TestServer.Companion.ORGANIZER
import java.time.Duration
import java.time.Instant
import kotlin.test.Test
import kotlin.test.assertFalse
import kotlin.test.assertTrue

class EnrolledTest : ServerTest() {
    private fun eventIsOn(name: String) {
        val start = Instant.now().minus(Duration.ofHours(1))
        val end = start.plus(Duration.ofHours(3))
        server.admin("event", "create", ORGANIZER, "museum", "--name", name, "--from", "$start", "--to", "$end")
    }

    private fun actions(id: Long): String = server.admin("device", "log", ORGANIZER, id.toString())

    @Test
    fun the_event_to_scan_for_is_shown_and_follows_the_server() {
        enrolledGate()
        gate.sees(R.string.event_none)
        eventIsOn("Museum night")
        gate.press(R.string.refresh)
        gate.sees("Museum night")
        gate.sees(R.string.refreshed)
        // The server now says to keep it, without its name.
        gate.press(R.string.refresh)
        gate.await("the second answer") { gate.app.model.screen.value.busy == null }
        gate.sees("Museum night")
    }

    @Test
    fun a_new_name_and_gate_are_shown_after_asking() {
        val device = enrolledGate()
        gate.sees(R.string.gate_none)
        val made = server.admin("gate", "create", ORGANIZER, "south", "--name", "South entrance")
        assertTrue(made.isNotEmpty())
        server.admin("device", "rename", ORGANIZER, device.id.toString(), "Lane 9")
        server.admin("device", "move", ORGANIZER, device.id.toString(), "south")
        gate.press(R.string.refresh)
        gate.sees("Lane 9")
        gate.sees("South entrance")
    }

    @Test
    fun names_that_would_do_more_than_be_read_are_cleaned_wherever_they_are_shown() {
        enrolledGate(server.createDeviceByApi("Lane\n2\u202E\u001B[2J\u2067"))
        val shown = "Lane\uFFFD2\uFFFD\uFFFD[2J\uFFFD"
        gate.sees(shown)
        gate.maintain(R.string.call)
        gate.seesPart("The server knows this device as “$shown”.")
        gate.maintain(R.string.revoke)
        gate.sees(R.string.revoke_words)
        gate.sees(shown)
        for (text in gate.texts() + gate.views().mapNotNull { it.contentDescription?.toString() }) {
            assertFalse(text.any { it == '\u001B' || it == '\u202E' || it == '\u2067' }, text)
        }
    }

    @Test
    fun an_authenticated_call_is_told_in_plain_words() {
        enrolledGate()
        gate.maintain(R.string.call)
        gate.seesPart("The server knows this device as “Lane 2”.")
    }

    @Test
    fun a_new_key_works_and_the_server_knows_of_it() {
        val device = enrolledGate()
        val before = actions(device.id)
        gate.maintain(R.string.roll)
        gate.sees(R.string.rolled)
        assertTrue(actions(device.id).length > before.length)
        gate.maintain(R.string.call)
        gate.seesPart("The server knows this device as “Lane 2”.")
    }

    @Test
    fun a_device_is_given_up_only_after_a_second_yes() {
        val device = enrolledGate()
        gate.maintain(R.string.revoke)
        gate.sees(R.string.revoke_words)
        gate.press(R.string.revoke_no)
        gate.sees(R.string.enrolled_title)
        gate.maintain(R.string.revoke)
        gate.back()
        gate.sees(R.string.enrolled_title)
        assertFalse(server.device(device.id).getBoolean("revoked"))
        gate.maintain(R.string.revoke)
        gate.press(R.string.revoke_yes)
        gate.sees(R.string.revoked_title)
        gate.sees("Lane 2")
        assertTrue(server.device(device.id).getBoolean("revoked"))
    }

    @Test
    fun a_device_that_the_server_has_revoked_says_so_and_takes_a_new_code() {
        val device = enrolledGate()
        server.revoke(device.id)
        gate.press(R.string.refresh)
        gate.sees(R.string.revoked_title)
        gate.sees(R.string.revoked_words)
        gate.sees("Lane 2")
        assertFalse(gate.texts().any { "Exception" in it || "revoked" in it }, "${gate.texts()}")
        val next = server.createDevice("Lane 3")
        gate.scan(next.code)
        gate.press(R.string.confirm_yes)
        gate.sees(R.string.enrolled_title)
        gate.sees("Lane 3")
        assertTrue(isInitialized(next))
    }

    @Test
    fun another_device_does_not_keep_the_event_of_the_one_before() {
        eventIsOn("Museum night")
        val device = enrolledGate()
        gate.sees("Museum night")
        server.revoke(device.id)
        gate.press(R.string.refresh)
        gate.sees(R.string.revoked_title)
        server.admin("event", "deactivate", ORGANIZER, "museum")
        gate.scan(server.createDevice("Lane 3").code)
        gate.press(R.string.confirm_yes)
        gate.sees("Lane 3")
        gate.sees(R.string.event_none)
    }

    @Test
    fun a_call_notices_a_revocation_too() {
        val device = enrolledGate()
        server.revoke(device.id)
        gate.maintain(R.string.call)
        gate.sees(R.string.revoked_title)
    }

    @Test
    fun a_ticket_comes_to_where_tickets_go() {
        enrolledGate()
        gate.scan("ZVQ8-73XK")
        gate.sees(R.string.ticket_read, "ZVQ8-73XK")
        gate.sees("Lane 2")
        gate.scan("https://pretix.eu/" + "a".repeat(3000))
        gate.sees(R.string.ticket_read, "https://pretix.eu/aaaaaaaaaaaaaaaaaaaaaa…")
    }

    @Test
    fun a_gate_is_served_without_what_only_maintenance_needs() {
        enrolledGate()
        gate.sees(R.string.fact_gate)
        val seldom = listOf(R.string.call, R.string.roll, R.string.revoke, R.string.fact_serial, R.string.fact_profile)
        for (label in seldom) assertFalse(gate.shows(label), gate.app.getString(label))
        gate.press(R.string.maintain)
        for (label in seldom) gate.sees(label)
        gate.back()
        gate.sees(R.string.enrolled_title)
    }

    @Test
    fun the_maintenance_stays_open_while_it_is_worked_at_and_a_scan_leads_back_to_the_gate() {
        enrolledGate()
        gate.maintain(R.string.roll)
        gate.sees(R.string.rolled)
        gate.sees(R.string.call)
        gate.scan("ZVQ8-73XK")
        gate.sees(R.string.ticket_read, "ZVQ8-73XK")
        gate.sees(R.string.enrolled_title)
    }

    @Test
    fun a_link_is_no_ticket() {
        enrolledGate()
        gate.openLink("pretixscan://setup?url=nonsense")
        gate.sees(R.string.error_code_invalid)
    }

    @Test
    fun what_support_asks_for_is_on_the_screen() {
        val device = enrolledGate()
        val known = server.device(device.id)
        gate.press(R.string.maintain)
        gate.sees(device.id.toString())
        gate.sees(known.getString("unique_serial"))
        gate.sees(known.getString("security_profile"))
        // What the server runs is told by the first update.
        gate.press(R.string.back)
        gate.press(R.string.refresh)
        gate.press(R.string.maintain)
        gate.sees(R.string.fact_version)
    }

    @Test
    fun what_last_happened_to_the_device_is_shown() {
        enrolledGate()
        gate.press(R.string.maintain)
        gate.sees(R.string.news_set_up)
        gate.maintain(R.string.roll)
        gate.sees(R.string.news_rolled)
    }
}
