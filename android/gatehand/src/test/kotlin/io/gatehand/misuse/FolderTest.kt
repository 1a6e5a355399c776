package io.gatehand.misuse

import io.gatehand.AgentConfig
import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.ScannerAgent
import io.gatehand.TestApp
import io.gatehand.VaultException
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestLibrary
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/** A files folder that can't be used. None of this depends on who runs it. */
@RunWith(RobolectricTestRunner::class)
class FolderTest {
    @get:Rule
    val temporary = TemporaryFolder()

    @Before
    fun begin() {
        TestLibrary.use()
        StandInKeystore.reset()
    }

    private fun open(files: File): ScannerAgent =
        ScannerAgent.open(TestApp(RuntimeEnvironment.getApplication(), files), AgentConfig.Builder("pretixSCAN", "2.3.1").build())

    private fun assertUnwritable(files: File) {
        val error = assertFailsWith<VaultException> { open(files) }
        assertEquals(ErrorCode.VAULT_UNWRITABLE, error.code)
        assertTrue(files.path in error.message && "check who owns it" in error.message, error.message)
        assertNotNull(error.cause)
    }

    @Test
    fun a_folder_that_cannot_be_made_is_said_so_with_its_path() {
        assertUnwritable(File("/proc"))
        assertUnwritable(File("/sys/kernel"))
    }

    @Test
    fun a_file_in_its_place_is_said_so_and_once_it_is_gone_the_agent_opens() {
        val file = temporary.newFile()
        assertUnwritable(file)
        assertTrue(file.delete())
        open(file).use { assertEquals(DeviceState.NotEnrolled, it.status()) }
    }

    @Test
    fun a_folder_in_place_of_the_vault_is_no_vault_and_is_left_alone() {
        val files = temporary.newFolder()
        open(files).close()
        val vault = File(files, "gatehand/default/vault.db")
        assertTrue(vault.delete() && vault.mkdir())
        File(vault, "mine").writeText("kept")
        val failure = runCatching { open(files) }
        val error = failure.exceptionOrNull() ?: assertIs<DeviceState.EnrolAgain>(failure.getOrThrow().use { it.state.value }).cause
        assertIs<VaultException>(error)
        assertTrue(error.message.length > 20, error.message)
        assertEquals("kept", File(vault, "mine").readText())
    }

    @Test
    fun a_vault_that_is_no_vault_asks_for_a_new_code_and_is_left_alone() {
        val files = temporary.newFolder()
        open(files).close()
        val vault = File(files, "gatehand/default/vault.db").apply { writeText("this is no database at all, and long enough to be one") }
        open(files).use { agent ->
            val cause = assertIs<DeviceState.EnrolAgain>(agent.state.value).cause
            assertEquals(ErrorCode.VAULT_DAMAGED, cause.code)
        }
        assertTrue(vault.readText().startsWith("this is no database"))
    }
}
