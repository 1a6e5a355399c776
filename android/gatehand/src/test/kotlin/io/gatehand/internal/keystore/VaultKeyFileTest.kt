package io.gatehand.internal.keystore

import android.app.Application
import android.content.pm.PackageManager
import android.os.Build
import io.gatehand.ErrorCode
import io.gatehand.VaultException
import io.gatehand.build.Project
import io.gatehand.testing.StandInKeystore
import java.io.File
import java.util.Locale
import java.util.concurrent.Executors
import kotlin.test.AfterTest
import kotlin.test.BeforeTest
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertNotEquals
import kotlin.test.assertTrue
import org.json.JSONObject
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
class VaultKeyFileTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private val context: Application = RuntimeEnvironment.getApplication()
    private val pauses = ArrayList<Long>()
    private val locale: Locale = Locale.getDefault()
    private lateinit var keystore: StandInKeystore
    private lateinit var folder: File
    private val file get() = File(folder, VaultKeyFile.NAME)
    private val vault get() = File(folder, VaultKeyFile.VAULT)

    @BeforeTest
    fun start() {
        keystore = StandInKeystore.reset()
        folder = File(temporary.root, "deep/vault")
    }

    @AfterTest
    fun restoreLocale() {
        Locale.setDefault(locale)
    }

    private fun keyFile() = VaultKeyFile(context, folder, "default") { pauses.add(it) }

    private fun ready(key: VaultKey): ByteArray = when (key) {
        is VaultKey.Ready -> key.bytes
        is VaultKey.Lost -> throw AssertionError("the key is lost", key.cause)
        is VaultKey.Unavailable -> throw AssertionError("the key is unavailable", key.cause)
    }

    private fun lost(key: VaultKey): VaultException =
        assertIs<VaultKey.Lost>(key).cause.also { assertEquals(ErrorCode.KEY_LOST, it.code) }

    /** A key that is read in Rust too. */
    private fun shared(name: String): File = Project.root.resolve("tests/data/keys/$name")

    /** A key and a vault that is sealed with it. */
    private fun used(): ByteArray = ready(keyFile().open()).also { vault.writeText("sealed") }

    @Test
    fun a_key_is_the_same_after_a_restart_and_not_in_its_file() {
        val key = ready(keyFile().open())
        assertEquals(VaultKey.LENGTH, key.size)
        assertContentEquals(key, ready(keyFile().open()))
        val written = file.readBytes()
        assertFalse(written.toList().windowed(key.size).any { it == key.toList() })
        val wrapped = android.util.Base64.decode(JSONObject(file.readText()).getString("wrapped"), android.util.Base64.NO_WRAP)
        assertFalse(wrapped.toList().windowed(key.size).any { it == key.toList() })
        assertEquals(setOf(file.name, file.name + ".lock"), folder.list().orEmpty().toSet())
    }

    @Test
    fun two_vaults_have_two_keys() {
        val other = VaultKeyFile(context, File(temporary.root, "other"), "other")
        assertNotEquals(ready(keyFile().open()).toList(), ready(other.open()).toList())
        assertEquals(2, keystore.aliases.size)
    }

    @Test
    fun the_key_is_wrapped_in_the_best_way_that_this_android_has() {
        ready(keyFile().open())
        val method = JSONObject(file.readText()).getString("method")
        assertEquals(if (Build.VERSION.SDK_INT >= 23) "AES/GCM" else "RSA/PKCS1", method)
    }

    @Test
    @Config(sdk = [27])
    fun a_key_that_was_wrapped_by_android_5_still_opens_after_the_device_got_a_newer_one() {
        val key = ByteArray(VaultKey.LENGTH) { it.toByte() }
        val alias = "io.gatehand.vault.default.0011223344556677"
        val wrapper = RsaWrapper(context)
        wrapper.makeKey(alias)
        val wrapped = wrapper.wrap(alias, "gatehand vault key\u0000$alias".encodeToByteArray(), key)
        folder.mkdirs()
        val text = android.util.Base64.encodeToString(wrapped, android.util.Base64.NO_WRAP)
        file.writeText("""{"version":1,"method":"RSA/PKCS1","alias":"$alias","wrapped":"$text"}""")
        assertContentEquals(key, ready(keyFile().open()))
    }

    @Test
    fun a_lost_keystore_key_is_said_to_be_lost_each_time_and_nothing_is_deleted() {
        used()
        val before = file.readText()
        keystore.loseKeys()
        repeat(3) {
            val cause = lost(keyFile().open())
            assertTrue("enrol this device again" in cause.message, cause.message)
            assertIs<KeyGoneException>(cause.cause)
        }
        assertEquals(before, file.readText())
        assertEquals("sealed", vault.readText())
        assertEquals(emptySet(), keystore.aliases)
        assertEquals(emptyList(), pauses, "waiting would not bring the key back")
    }

    @Test
    fun another_keystore_key_of_the_same_name_is_a_lost_key() {
        used()
        keystore.exchangeKeys()
        assertIs<OtherKeyException>(lost(keyFile().open()).cause)
    }

    @Test
    fun a_damaged_file_is_a_lost_key_and_left_as_it_is() {
        used()
        val whole = file.readText()
        val wrapped = JSONObject(whole).getString("wrapped")
        val flipped = wrapped.replaceRange(20, 21, if (wrapped[20] == 'A') "B" else "A")
        val damaged = listOf("", "{", "[]", whole.dropLast(9), whole.replace("\"wrapped\"", "\"w\""), whole.replace("AES", "DES").replace("RSA", "DSA")) +
            listOf(flipped, "AA==", "!", "").map { JSONObject(whole).put("wrapped", it).toString() }
        for (text in damaged) {
            file.writeText(text)
            lost(keyFile().open())
            assertEquals(text, file.readText())
        }
        file.writeText(whole)
        ready(keyFile().open())
    }

    @Test
    fun a_key_of_a_newer_version_asks_for_an_update_and_is_left_as_it_is() {
        used()
        val (names, aliases) = folder.list().orEmpty().toSet() to keystore.aliases
        for (name in listOf("version-2.json", "version-2-without-method.json")) {
            val text = shared(name).readText()
            file.writeText(text)
            val cause = assertIs<VaultKey.Unavailable>(keyFile().open()).cause
            assertEquals(ErrorCode.VAULT_TOO_NEW, cause.code)
            assertTrue("update this app" in cause.message, cause.message)
            assertEquals(text, file.readText())
        }
        assertEquals(names, folder.list().orEmpty().toSet())
        assertEquals(aliases, keystore.aliases)
        assertEquals(emptyList(), pauses)
    }

    @Test
    fun what_the_native_library_takes_for_damaged_or_what_lies_open_is_a_lost_key_and_left_as_it_is() {
        used()
        val damaged = shared("damaged").listFiles().orEmpty().toList()
        assertTrue(damaged.size > 5)
        for (form in damaged + listOf("raw.key", "hex.key", "plain.json").map(::shared)) {
            form.copyTo(file, overwrite = true)
            lost(keyFile().open())
            assertContentEquals(form.readBytes(), file.readBytes())
        }
    }

    @Test
    @Config(sdk = [35])
    fun the_keystores_methods_are_read_as_the_native_library_names_them() {
        used()
        val fields = JSONObject(file.readText()).keys().asSequence().toSet()
        for (name in listOf("aes-gcm.json", "rsa-pkcs1.json")) {
            val form = shared(name)
            assertEquals(fields, JSONObject(form.readText()).keys().asSequence().toSet())
            form.copyTo(file, overwrite = true)
            val cause = assertIs<KeyGoneException>(lost(keyFile().open()).cause)
            assertEquals("the Keystore has no key of this name", cause.message)
        }
    }

    @Test
    fun a_file_moved_from_another_vault_does_not_open() {
        used()
        val aliases = keystore.aliases
        ready(VaultKeyFile(context, File(temporary.root, "other"), "other").open())
        val other = (keystore.aliases - aliases).single()
        file.writeText(JSONObject(file.readText()).put("alias", other).toString())
        lost(keyFile().open())
    }

    @Test
    fun a_vault_without_its_key_file_gets_no_new_key() {
        used()
        assertTrue(file.delete())
        lost(keyFile().open())
        assertFalse(file.exists())
    }

    @Test
    fun a_keystore_that_is_busy_is_waited_for() {
        val key = used()
        keystore.busy = 3
        assertContentEquals(key, ready(keyFile().open()))
        assertEquals(listOf(50L, 200L, 500L), pauses)
    }

    @Test
    fun a_keystore_that_stays_busy_is_unavailable_and_the_key_comes_back_with_it() {
        val key = used()
        keystore.busy = Int.MAX_VALUE
        val cause = assertIs<VaultKey.Unavailable>(keyFile().open()).cause
        assertEquals(ErrorCode.KEYSTORE_UNAVAILABLE, cause.code)
        keystore.busy = 0
        assertContentEquals(key, ready(keyFile().open()))
    }

    @Test
    fun a_keystore_that_is_unavailable_at_first_leaves_nothing_behind() {
        keystore.busy = Int.MAX_VALUE
        assertIs<VaultKey.Unavailable>(keyFile().open())
        assertFalse(file.exists())
        keystore.busy = 0
        ready(keyFile().open())
        assertEquals(1, keystore.aliases.size)
    }

    @Test
    fun a_keystore_that_does_not_give_back_what_it_took_is_never_trusted_with_a_vault() {
        keystore.garbles = true
        val cause = assertIs<VaultKey.Unavailable>(keyFile().open()).cause
        assertEquals(ErrorCode.KEYSTORE_UNAVAILABLE, cause.code)
        assertFalse(file.exists())
        assertEquals(emptySet(), keystore.aliases)
    }

    @Test
    fun a_key_that_could_not_be_written_leaves_nothing_in_the_keystore_and_those_in_use_stay() {
        used()
        val before = keystore.aliases
        // What the file is written to first.
        assertTrue(File(folder, "${file.name}.new").mkdir())
        val cause = assertIs<VaultKey.Unavailable>(keyFile().replace()).cause
        assertEquals(ErrorCode.VAULT_UNWRITABLE, cause.code)
        assertEquals(before, keystore.aliases)
    }

    @Test
    fun enrolling_again_makes_a_new_key_and_keeps_the_old_file() {
        val key = used()
        val before = file.readText()
        keystore.loseKeys()
        lost(keyFile().open())
        val next = ready(keyFile().replace())
        assertNotEquals(key.toList(), next.toList())
        assertContentEquals(next, ready(keyFile().open()))
        assertEquals(before, File(folder, "${file.name}.lost-1").readText())
        ready(keyFile().replace())
        assertTrue(File(folder, "${file.name}.lost-2").exists())
    }

    @Test
    fun a_key_that_was_set_aside_by_mistake_can_be_brought_back() {
        val key = used()
        ready(keyFile().replace())
        assertTrue(File(folder, "${file.name}.lost-1").renameTo(file))
        assertContentEquals(key, ready(keyFile().open()))
    }

    @Test
    fun a_folder_that_cannot_be_made_is_said_so() {
        folder = File(temporary.newFile("file"), "vault")
        val cause = assertIs<VaultKey.Unavailable>(keyFile().open()).cause
        assertEquals(ErrorCode.VAULT_UNWRITABLE, cause.code)
        assertTrue(folder.path in cause.message, cause.message)
    }

    @Test
    fun many_threads_at_the_first_start_get_one_key() {
        val threads = Executors.newFixedThreadPool(8)
        val keys = List(16) { threads.submit<List<Byte>> { ready(keyFile().open()).toList() } }.map { it.get() }
        threads.shutdown()
        assertEquals(1, keys.toSet().size)
    }

    @Test
    @Config(sdk = [35])
    fun the_strongbox_holds_the_key_where_there_is_one() {
        shadowOf(context.packageManager).setSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE, true)
        ready(keyFile().open())
        assertEquals(keystore.aliases, keystore.strongBoxAliases)
    }

    @Test
    @Config(sdk = [35])
    fun a_strongbox_that_takes_no_key_is_done_without() {
        shadowOf(context.packageManager).setSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE, true)
        keystore.strongBoxWorks = false
        ready(keyFile().open())
        assertEquals(emptySet(), keystore.strongBoxAliases)
        assertEquals(1, keystore.aliases.size)
    }

    @Test
    @Config(sdk = [35])
    fun a_strongbox_that_makes_a_key_and_can_t_use_it_is_done_without() {
        shadowOf(context.packageManager).setSystemFeature(PackageManager.FEATURE_STRONGBOX_KEYSTORE, true)
        keystore.strongBoxEncrypts = false
        val key = ready(keyFile().open())
        assertEquals(emptySet(), keystore.strongBoxAliases)
        assertContentEquals(key, ready(keyFile().open()))
    }

    @Test
    @Config(sdk = [21])
    fun an_arabic_device_makes_its_key_in_english_and_stays_arabic() {
        val arabic = Locale.forLanguageTag("ar-EG")
        Locale.setDefault(arabic)
        ready(keyFile().open())
        assertEquals(listOf("en"), keystore.languages)
        assertEquals(arabic, Locale.getDefault())
    }
}
