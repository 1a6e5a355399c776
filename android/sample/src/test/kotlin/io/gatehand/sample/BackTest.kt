package io.gatehand.sample

import android.os.Build
import io.gatehand.fake.FakeAgent
import io.gatehand.testing.TestLibrary
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.Before
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/**
 * Where going back leads from each screen. From Android 13 on its dispatcher is asked, which shows beforehand where
 * that is; whether it takes the app's word for it says the manifest.
 */
@RunWith(RobolectricTestRunner::class)
@Config(application = FakedApp::class)
class BackTest {
    private val gate = Gate()
    private val fake: FakeAgent = (gate.app as FakedApp).fake

    @Before
    fun readTypedCodes(): Unit = TestLibrary.use()

    private fun type() {
        gate.press(R.string.type_instead)
        gate.type(R.id.server, "https://pretix.eu")
        gate.type(R.id.token, "kpp4jn8g2ynzonp6")
        gate.press(R.string.type_submit)
        gate.sees(R.string.confirm_title)
    }

    private fun enrolled() {
        gate.open()
        type()
        gate.press(R.string.confirm_yes)
        gate.sees(R.string.enrolled_title)
        gate.await("the end of the work") { gate.app.model.screen.value.busy == null }
    }

    private fun maintained() {
        gate.press(R.string.maintain)
        gate.sees(R.string.fact_serial)
    }

    /** On older ones nobody is told before it happens. */
    private fun assertAndroidIsTold(leaves: Boolean) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) assertEquals(leaves, gate.backLeaves())
    }

    private fun assertBackLeadsTo(title: Int) {
        assertAndroidIsTold(leaves = false)
        gate.back()
        gate.sees(title)
        assertFalse(gate.activity.isFinishing)
        assertAndroidIsTold(leaves = true)
    }

    @Test
    fun a_form_and_the_question_after_it_lead_to_the_first_screen_and_that_out_of_the_app() {
        gate.open()
        gate.sees(R.string.not_enrolled_title)
        assertAndroidIsTold(leaves = true)
        gate.press(R.string.type_instead)
        gate.sees(R.string.type_title)
        assertBackLeadsTo(R.string.not_enrolled_title)
        type()
        assertBackLeadsTo(R.string.not_enrolled_title)
        assertTrue(gate.backLeaves())
    }

    @Test
    fun maintenance_and_its_question_lead_to_the_gate_and_that_out_of_the_app() {
        enrolled()
        assertAndroidIsTold(leaves = true)
        maintained()
        assertBackLeadsTo(R.string.enrolled_title)
        maintained()
        gate.press(R.string.revoke)
        gate.sees(R.string.revoke_title)
        assertBackLeadsTo(R.string.enrolled_title)
        assertTrue(gate.backLeaves())
    }

    @Test
    fun a_device_that_is_turned_goes_back_to_the_same_screen() {
        enrolled()
        maintained()
        gate.rotate()
        assertBackLeadsTo(R.string.enrolled_title)
        gate.rotate()
        assertTrue(gate.backLeaves())
    }

    @Test
    fun a_screen_that_ends_by_itself_is_no_longer_gone_back_from() {
        enrolled()
        maintained()
        assertAndroidIsTold(leaves = false)
        runBlocking { fake.revoke() }
        gate.sees(R.string.revoked_title)
        assertTrue(gate.backLeaves())
    }
}
