package io.gatehand.build

import io.gatehand.internal.NativeLibrary
import java.security.MessageDigest
import java.util.Properties
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** What is written down in more than one place is the same everywhere. */
class VersionsTest {
    private fun first(path: String, pattern: String): String =
        checkNotNull(Regex(pattern, RegexOption.MULTILINE).find(Project.text(path))) { "$pattern is not in $path" }.groupValues[1]

    @Test
    fun the_classes_have_the_version_of_the_native_library() {
        val cargo = first("Cargo.toml", "^version = \"([^\"]+)\"")
        assertEquals(cargo, NativeLibrary.VERSION)
        for (pom in listOf("", "gatehand/", "fake/", "datawedge/", "okhttp/", "consumer/", "testing/", "sample/", "benchmark/").map { "android/${it}pom.xml" }) {
            assertEquals(cargo, first(pom, "<version>([^<]+)</version>"), pom)
        }
        for (library in listOf("gatehand", "fake", "datawedge", "okhttp")) {
            assertEquals(cargo, first("android/$library/build.gradle.kts", "^version = \"([^\"]+)\""), library)
        }
    }

    @Test
    fun both_builds_use_the_same_versions() {
        val gradle = Regex("^([a-z0-9]+) = \"([^\"]+)\"", RegexOption.MULTILINE)
            .findAll(Project.text("android/gradle/libs.versions.toml")).associate { it.groupValues[1] to it.groupValues[2] }
        val maven = Regex("<([a-z0-9]+)\\.version>([^<]+)<").findAll(Project.text("android/pom.xml").substringBefore("<profiles>"))
            .associate { it.groupValues[1] to it.groupValues[2] } - "surefire"
        assertTrue(maven.size >= 5, "$maven")
        assertEquals(maven, gradle.filterKeys { it in maven })
    }

    @Test
    fun both_builds_write_the_same_kotlin_and_bring_the_same_standard_library() {
        val language = first("android/pom.xml", "<kotlin.language>([^<]+)<")
        for (module in listOf("gatehand", "fake", "datawedge", "okhttp", "sample")) {
            for (level in listOf("languageVersion", "apiVersion")) {
                assertEquals(language, first("android/$module/build.gradle.kts", "$level = KotlinVersion\\.KOTLIN_([0-9_]+)").replace('_', '.'), module)
            }
        }
        for (module in listOf("gatehand", "fake", "datawedge", "okhttp")) first("android/$module/build.gradle.kts", "coreLibrariesVersion = (libs\\.versions\\.stdlib)")
        assertTrue(first("android/pom.xml", "<kotlin.oldest>([^<]+)<").startsWith("$language."))
    }

    @Test
    fun the_gradle_wrapper_takes_no_other_gradle_than_the_one_that_was_meant() {
        val properties = Properties().apply { load(Project.text("android/gradle/wrapper/gradle-wrapper.properties").reader()) }
        val version = Regex("https://services\\.gradle\\.org/distributions/gradle-([0-9.]+)-bin\\.zip").matchEntire(properties.getProperty("distributionUrl"))
        assertTrue("Gradle ${version!!.groupValues[1].substringBeforeLast('.')}," in Project.text("docs/ANDROID.md"))
        assertTrue(Regex("[0-9a-f]{64}").matches(properties.getProperty("distributionSha256Sum")))
        // As Gradle publishes it for 9.4.1; a jar of another one would be somebody else's program.
        val jar = Project.root.resolve("android/gradle/wrapper/gradle-wrapper.jar").readBytes()
        val sum = MessageDigest.getInstance("SHA-256").digest(jar).joinToString("") { "%02x".format(it) }
        assertEquals("55243ef57851f12b070ad14f7f5bb8302daceeebc5bce5ece5fa6edb23e1145c", sum)
    }

    @Test
    fun both_builds_make_the_same_bytecode() {
        val target = first("android/pom.xml", "<android.jvmTarget>([^<]+)<")
        for (module in listOf("gatehand", "fake", "datawedge", "okhttp", "sample")) {
            assertEquals(target, first("android/$module/build.gradle.kts", "JvmTarget\\.JVM_([0-9]+)"), module)
        }
    }
}
