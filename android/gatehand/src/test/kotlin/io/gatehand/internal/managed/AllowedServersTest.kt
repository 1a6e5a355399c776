package io.gatehand.internal.managed

import android.os.Bundle
import io.gatehand.DeviceState
import io.gatehand.Enrolment
import io.gatehand.ManagedKeys
import io.gatehand.ManagedOutcome
import io.gatehand.testing.TestLibrary
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlinx.coroutines.runBlocking
import org.junit.Before
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** Which servers a managed configuration allows, with addresses as the native library reads them. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [27])
class AllowedServersTest {
    @get:Rule
    val temporary = TemporaryFolder()

    @Before
    fun useTheLibrary() {
        TestLibrary.use()
    }

    private fun outcome(url: String, allowed: String?): ManagedOutcome = runBlocking {
        val restrictions = Bundle().apply {
            putString("url", url)
            putString("token", "kpp4jn8g2ynzonp6")
            allowed?.let { putString("allowed_servers", it) }
        }
        val tokens = ManagedTokens(temporary.newFolder())
        ManagedEnrolment({ ManagedConfiguration.of(restrictions, ManagedKeys()) }, tokens, Enrolment::of, { DeviceState.NotEnrolled }, {}).run()
    }

    private fun allows(allowed: String?, url: String = "https://pretix.eu/tickets"): Boolean =
        when (val outcome = outcome(url, allowed)) {
            is ManagedOutcome.Enrolled -> true
            is ManagedOutcome.NotAllowed -> false
            else -> throw AssertionError("$outcome")
        }

    @Test
    fun only_servers_that_are_named_are_allowed() {
        for (some in listOf("https://pretix.eu", "pretix.eu", "tickets.example, PRETIX.EU/", "https://pretix.eu:443")) {
            assertEquals(true, allows(some), some)
        }
        val none = listOf(
            null, "", " , ", "eu", "*", "https://", "http://pretix.eu", "pretix.eu:8443", "pretix.eu.evil.example",
            "evil.example/pretix.eu", "https://pretix.eu/other", "https://pretix.eu;https://tickets.example",
        )
        for (one in none) assertEquals(false, allows(one), "$one")
        assertEquals(true, allows("http://10.0.0.5:8345", "http://10.0.0.5:8345"))
    }

    @Test
    fun an_international_name_is_allowed_in_either_form() {
        for (named in listOf("https://münchen.example", "MÜNCHEN.example", "xn--mnchen-3ya.example")) {
            for (url in listOf("https://münchen.example", "https://xn--mnchen-3ya.example/shop")) {
                assertEquals(true, allows(named, url), named)
            }
        }
    }

    @Test
    fun what_would_have_to_be_named_is_said_so_that_it_can_be_pasted() {
        for (url in listOf("https://münchen.example/shop", "https://pretix.eu/", "https://pretix.eu:8443/a")) {
            val missing = outcome(url, "https://tickets.example") as ManagedOutcome.NotAllowed
            assertEquals(true, allows(missing.origin, url), missing.origin)
        }
    }
}
