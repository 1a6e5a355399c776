package io.gatehand.build

import io.gatehand.internal.NativeLibrary
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
        for (pom in listOf("", "gatehand/", "datawedge/", "testing/", "sample/", "benchmark/").map { "android/${it}pom.xml" }) {
            assertEquals(cargo, first(pom, "<version>([^<]+)</version>"), pom)
        }
        for (library in listOf("gatehand", "datawedge")) {
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
    fun both_builds_make_the_same_bytecode() {
        val target = first("android/pom.xml", "<android.jvmTarget>([^<]+)<")
        for (module in listOf("gatehand", "datawedge", "sample")) {
            assertEquals(target, first("android/$module/build.gradle.kts", "JvmTarget\\.JVM_([0-9]+)"), module)
        }
    }
}
