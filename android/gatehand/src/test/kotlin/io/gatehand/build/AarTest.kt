package io.gatehand.build

import io.gatehand.testing.TestLibrary
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.File
import java.lang.reflect.Modifier
import java.util.zip.DeflaterOutputStream
import java.util.zip.ZipInputStream
import javax.xml.parsers.DocumentBuilderFactory
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNotEquals
import kotlin.test.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.objectweb.asm.ClassReader
import org.objectweb.asm.ClassVisitor
import org.objectweb.asm.Opcodes
import org.w3c.dom.Element

/** What android/aar.sh makes is what the Gradle build declares. */
class AarTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private val gradle = Project.text("android/gatehand/build.gradle.kts")
    private val all = mapOf("arm64-v8a" to ElfFile.ARM64, "armeabi-v7a" to ElfFile.ARM, "x86_64" to ElfFile.X86_64)

    private fun declared(pattern: String): String =
        checkNotNull(Regex(pattern).find(gradle)) { "build.gradle.kts has no $pattern" }.groupValues[1]

    private class Result(val status: Int, val output: String, val errors: String) {
        val aar get() = File(output.trim())
        val sources get() = File(aar.path.removeSuffix(".aar") + "-sources.jar")
    }

    private fun run(vararg options: String, environment: Map<String, String> = emptyMap()): Result {
        val errors = temporary.newFile()
        val process = ProcessBuilder("${Project.root}/android/aar.sh", *options).redirectError(errors)
            .apply { environment().putAll(mapOf("JAVA_HOME" to System.getProperty("java.home")) + environment) }.start()
        val output = process.inputStream.reader().readText()
        return Result(process.waitFor(), output, errors.readText())
    }

    private fun folder(libraries: Map<String, ByteArray>): File {
        val folder = temporary.newFolder()
        for ((path, bytes) in libraries) folder.resolve(path).apply { parentFile.mkdirs() }.writeBytes(bytes)
        return folder
    }

    private fun libraries(by: Map<String, ElfFile>) = folder(by.map { "${it.key}/libgatehand.so" to it.value.bytes() }.toMap())

    private fun assembled(jni: File = libraries(all), environment: Map<String, String> = emptyMap()): Result =
        run("--classes", "${Project.classes}", "--jni", "$jni", "--output", "${temporary.newFolder()}", environment = environment)
            .also { assertEquals(0, it.status, it.errors) }

    private fun entries(zip: ByteArray): Map<String, ByteArray> = ZipInputStream(ByteArrayInputStream(zip)).use { input ->
        generateSequence { input.nextEntry }.associate { it.name to input.readBytes() }
    }

    private fun parsed(xml: ByteArray): Element = DocumentBuilderFactory.newInstance().newDocumentBuilder()
        .parse(ByteArrayInputStream(xml)).documentElement

    private fun Element.all(tag: String): List<Element> =
        getElementsByTagName(tag).let { nodes -> List(nodes.length) { nodes.item(it) as Element } }

    /** Texts of this element's own children, not of deeper ones. */
    private fun Element.own(vararg tags: String): List<String> =
        tags.map { tag -> all(tag).single { it.parentNode === this }.textContent }

    private fun Element.text(tag: String): String = all(tag).single().textContent

    /** A library that has to be refused, as what, and why. */
    private fun refused(path: String, library: ByteArray, reason: String) {
        val jni = libraries(all).also { it.resolve(path).apply { parentFile.mkdirs() }.writeBytes(library) }
        val output = temporary.newFolder()
        val result = run("--classes", "${Project.classes}", "--jni", "$jni", "--output", "$output")
        assertNotEquals(0, result.status, "$path was taken though it $reason")
        assertContains(result.errors, "$jni/$path")
        assertContains(result.errors, reason)
        assertEquals(emptyList(), output.list()?.toList())
    }

    @Test
    fun it_holds_what_the_gradle_build_declares() {
        val jni = libraries(all)
        val result = assembled(jni)
        assertEquals("", result.errors)
        assertEquals("gatehand-${declared("\nversion = \"(.+)\"")}.aar", result.aar.name)
        val aar = entries(result.aar.readBytes())

        val abis = Regex("\"([^\"]+)\"").findAll(declared("abis = listOf\\((.+)\\)")).map { it.groupValues[1] }.toList()
        val metadata = "META-INF/com/android/build/gradle/aar-metadata.properties"
        assertEquals(
            setOf("AndroidManifest.xml", "R.txt", "classes.jar", "proguard.txt", metadata) + abis.map { "jni/$it/libgatehand.so" },
            aar.keys,
        )
        for (abi in abis) assertContentEquals(jni.resolve("$abi/libgatehand.so").readBytes(), aar.getValue("jni/$abi/libgatehand.so"))
        assertContentEquals(ByteArray(0), aar.getValue("R.txt"))
        assertEquals(
            Project.text("android/gatehand/${declared("consumerProguardFiles\\(\"(.+)\"\\)")}"),
            aar.getValue("proguard.txt").decodeToString(),
        )
        val properties = aar.getValue(metadata).decodeToString().trim().lines().associate { it.substringBefore('=') to it.substringAfter('=') }
        assertEquals(declared("minCompileSdk = (.+)"), properties["minCompileSdk"])
        assertEquals("1.0", properties["aarFormatVersion"])
        assertEquals("1.0", properties["aarMetadataVersion"])
    }

    @Test
    fun its_manifest_is_the_librarys_with_the_namespace_and_the_lowest_level() {
        val manifest = parsed(entries(assembled().aar.readBytes()).getValue("AndroidManifest.xml"))
        assertEquals(declared("namespace = \"(.+)\""), manifest.getAttribute("package"))
        assertEquals(declared("minSdk = (\\d+)"), manifest.all("uses-sdk").single().getAttribute("android:minSdkVersion"))
        fun rest(of: Element) = of.all("*").filter { it.tagName != "uses-sdk" }.map { it.tagName to it.getAttribute("android:name") }
        val source = parsed(Project.text("android/gatehand/src/main/AndroidManifest.xml").toByteArray())
        assertTrue(rest(source).isNotEmpty())
        assertEquals(rest(source), rest(manifest))
    }

    @Test
    fun its_classes_are_those_of_the_sources_and_no_other() {
        val jar = entries(entries(assembled().aar.readBytes()).getValue("classes.jar"))
        assertEquals(listOf("META-INF/gatehand.kotlin_module"), jar.keys.filterNot { it.endsWith(".class") })

        val sources = Project.root.resolve("android/gatehand/src/main/kotlin")
        val compiled = HashSet<String>()
        for ((name, bytes) in jar.filterKeys { it.endsWith(".class") }) {
            ClassReader(bytes).accept(object : ClassVisitor(Opcodes.ASM9) {
                override fun visitSource(source: String?, debug: String?) {
                    compiled.add("${name.substringBeforeLast('/')}/$source")
                }
            }, 0)
            // What is not there on a device is not even mentioned.
            for (stranger in listOf("androidx/", "org/robolectric", "io/gatehand/testing", "org/junit")) {
                assertFalse(stranger in bytes.toString(Charsets.ISO_8859_1), "$name mentions $stranger")
            }
        }
        val expected = sources.walk().filter { it.isFile }.map { it.relativeTo(sources).path }.toSet()
        assertEquals(expected, compiled, "one that is gone was left by an earlier build: remove android/gatehand/target/classes")
    }

    @Test
    fun apps_see_all_of_the_api_and_nothing_else() {
        val jar = entries(entries(assembled().aar.readBytes()).getValue("classes.jar"))
        val seen = jar.filterKeys { it.endsWith(".class") && '/' !in it.removePrefix("io/gatehand/") && '$' !in it }
            .filterValues { Modifier.isPublic(ClassReader(it).access) }.keys.map { File(it).nameWithoutExtension }
        val declaration = Regex("^public (?:(?:abstract|data|enum|fun|open|sealed|value) )*(?:class|interface|object) (\\w+)", RegexOption.MULTILINE)
        val api = Project.root.resolve("android/gatehand/src/main/kotlin/io/gatehand").listFiles { it.isFile }.orEmpty()
            .flatMap { source -> declaration.findAll(source.readText()).map { it.groupValues[1] } }
        assertTrue("ScannerAgent" in api && api.size > 20, "$api")
        assertEquals(api.toSet(), seen.toSet())
    }

    /** Android's libraries are about as large as this machine's, which the AAR does not take. */
    @Test
    fun with_the_library_of_one_processor_it_is_no_larger_than_6_mb() {
        val library = System.getProperty(TestLibrary.SHIPPED)
        assumeTrue("run by android/test.sh", library != null)
        val packed = ByteArrayOutputStream()
        DeflaterOutputStream(packed).use { it.write(File(library).readBytes()) }
        val size = packed.size() + assembled().aar.length()
        assertTrue(size <= 6_000_000, "$size bytes")
    }

    @Test
    fun the_same_input_gives_the_same_bytes() {
        val first = assembled(environment = mapOf("TZ" to "Pacific/Auckland", "LC_ALL" to "C.UTF-8"))
        // Later, elsewhere, and written in another order.
        val copy = temporary.newFolder()
        for (file in Project.classes.toFile().walk().filter { it.isFile }.sortedByDescending { it.path }) {
            file.copyTo(copy.resolve(file.relativeTo(Project.classes.toFile()).path)).setLastModified(0)
        }
        val second = run(
            "--classes", "$copy", "--jni", "${libraries(all)}", "--output", "${temporary.newFolder()}",
            environment = mapOf("TZ" to "America/Los_Angeles"),
        )
        assertContentEquals(first.aar.readBytes(), second.aar.readBytes(), second.errors)
        assertContentEquals(first.sources.readBytes(), second.sources.readBytes())
        // A folder's own order is another on another machine.
        for (zip in entries(first.aar.readBytes()).let { listOf(it.keys, entries(it.getValue("classes.jar")).keys) }) {
            assertEquals(zip.sorted(), zip.toList())
        }
    }

    @Test
    fun its_sources_go_with_it_so_that_editors_show_their_comments() {
        val jar = entries(assembled().sources.readBytes())
        val folder = Project.root.resolve("android/gatehand/src/main/kotlin")
        val sources = folder.walk().filter { it.isFile }.associateBy { it.relativeTo(folder).path }
        assertEquals(sources.keys, jar.keys)
        for ((path, source) in sources) assertContentEquals(source.readBytes(), jar.getValue(path), path)
        assertEquals(jar.keys.sorted(), jar.keys.toList())
    }

    @Test
    fun without_any_native_library_none_is_made_unless_that_is_wanted() {
        val output = temporary.newFolder()
        val options = arrayOf("--classes", "${Project.classes}", "--jni", "${temporary.newFolder()}", "--output", "$output")
        val refused = run(*options)
        assertNotEquals(0, refused.status)
        assertContains(refused.errors, "holds no native library")
        assertEquals(emptyList(), output.list()?.toList())

        val wanted = run("--without-native-libraries", *options)
        assertEquals(0, wanted.status, wanted.errors)
        assertEquals(emptyList(), entries(wanted.aar.readBytes()).keys.filter { it.startsWith("jni/") })
    }

    @Test
    fun its_options_are_told_and_wrong_ones_refused() {
        val help = run("--help")
        assertEquals(0, help.status, help.errors)
        for (option in listOf("--jni", "--classes", "--output", "--repository", "--without-native-libraries")) {
            assertContains(help.output, "\n$option")
        }
        assertFalse("set -e" in help.output || help.output.startsWith("#"), help.output)
        val wrong = mapOf(
            listOf("--nonsense") to "there is no option --nonsense",
            listOf("--jni") to "--jni needs a folder",
            listOf("--output", "") to "--output needs a folder",
            listOf("--output", "a", "--repository", "b") to "either --output or --repository",
        )
        for ((options, words) in wrong) {
            val result = run(*options.toTypedArray())
            assertNotEquals(0, result.status)
            assertContains(result.errors, words)
        }
    }

    @Test
    fun a_run_that_fails_leaves_what_was_there() {
        val output = temporary.newFolder("with a blank")
        fun run(vararg environment: Pair<String, String>) = run(
            "--classes", "${Project.classes}", "--jni", "${libraries(all)}", "--output", "$output", environment = mapOf(*environment),
        )
        val whole = run()
        val made = output.listFiles().orEmpty().associate { it.name to it.readBytes().toList() }
        assertEquals(setOf(whole.aar.name, whole.sources.name, whole.aar.nameWithoutExtension + ".pom"), made.keys)

        // A jar that packs the classes and then no more.
        val home = temporary.newFolder()
        val jar = home.resolve("bin/jar").apply { parentFile.mkdirs() }
        val real = "${System.getProperty("java.home")}/bin/jar"
        jar.writeText(
            """
            #!/bin/sh
            [ "${'$'}1" = --help ] || mkdir '$home/once' || exit 1
            exec '$real' "${'$'}@"
            """.trimIndent(),
        )
        assertTrue(jar.setExecutable(true))
        assertNotEquals(0, run("JAVA_HOME" to "$home").status)
        assertTrue(home.resolve("once").exists())
        assertContains(run("JAVA_HOME" to "$home/none").errors, "install JDK 17")
        assertEquals(made, output.listFiles().orEmpty().associate { it.name to it.readBytes().toList() })
    }

    @Test
    fun a_processor_without_its_library_is_named() {
        val result = assembled(libraries(all - "armeabi-v7a"))
        assertEquals(1, result.errors.trim().lines().size, result.errors)
        assertContains(result.errors, "without armeabi-v7a")
        assertEquals(
            setOf("jni/arm64-v8a/libgatehand.so", "jni/x86_64/libgatehand.so"),
            entries(result.aar.readBytes()).keys.filter { it.startsWith("jni/") }.toSet(),
        )
    }

    @Test
    fun a_library_for_this_machine_is_refused() {
        val library = System.getProperty("gatehand.library")
        assumeTrue("run by android/test.sh", library != null)
        refused("x86_64/libgatehand.so", File(library).readBytes(), "is not for Android")
        refused("arm64-v8a/libgatehand.so", File(library).readBytes(), "is for Advanced Micro Devices X86-64")
    }

    @Test
    fun a_library_that_no_device_would_load_is_refused() {
        refused("arm64-v8a/libgatehand.so", ElfFile.ARM.bytes(), "is for ARM")
        refused("armeabi-v7a/libgatehand.so", ElfFile.ARM64.bytes(), "is for AArch64")
        refused("x86_64/libgatehand.so", ElfFile.ARM64.bytes(), "is for AArch64")
        refused("x86_64/libgatehand.so", ElfFile.X86_64.copy(level = null).bytes(), "is not for Android")
        refused("arm64-v8a/libgatehand.so", ElfFile.ARM64.copy(level = 26).bytes(), "is for API level 26")
        refused("arm64-v8a/libgatehand.so", ElfFile.ARM64.copy(alignment = 0x1000).bytes(), "aligned to 0x1000")
        refused("x86_64/libgatehand.so", ElfFile.X86_64.copy(alignment = 0x1000).bytes(), "aligned to 0x1000")
        refused("arm64-v8a/libgatehand.so", ElfFile.ARM64.copy(type = 2).bytes(), "is not a shared library")
        refused("arm64-v8a/libgatehand.so", "not a library".toByteArray(), "is not a shared library")
        refused("arm64-v8a/libgatehand.so", ElfFile.ARM64.bytes().copyOf(100), "is not a shared library, or not a whole one")
        refused("arm64-v8a/libgatehand.so", ByteArray(0), "is not a shared library")
    }

    @Test
    fun a_library_that_was_built_wrongly_is_refused() {
        for (section in listOf(".symtab", ".debug_info")) {
            refused("armeabi-v7a/libgatehand.so", ElfFile.ARM.copy(debugging = listOf(section)).bytes(), "is not stripped")
        }
        refused("arm64-v8a/libgatehand.so", ElfFile.ARM64.copy(exports = "main").bytes(), "has nothing for Kotlin to call")
        refused("x86/libgatehand.so", ElfFile(machine = 3, bits = 32).bytes(), "is neither of arm64-v8a armeabi-v7a x86_64")
        refused("arm64-v8a/libother.so", ElfFile.ARM64.bytes(), "nor named libgatehand.so")
    }

    @Test
    fun folders_that_are_not_there_are_refused() {
        val missing = "${temporary.root}/missing"
        assertContains(run("--jni", missing).errors, "there is no folder $missing")
        val empty = temporary.newFolder()
        val result = run("--classes", "$empty", "--jni", "${libraries(all)}", "--output", "${temporary.newFolder()}")
        assertNotEquals(0, result.status)
        assertContains(result.errors, "$empty holds no classes of io.gatehand")
    }

    @Test
    fun a_maven_repository_of_it_names_what_it_needs() {
        val repository = temporary.newFolder()
        val result = run("--classes", "${Project.classes}", "--jni", "${libraries(all)}", "--repository", "$repository")
        val version = declared("\nversion = \"(.+)\"")
        val folder = repository.resolve("${declared("group = \"(.+)\"").replace('.', '/')}/gatehand/$version")
        assertEquals(folder.resolve("gatehand-$version.aar"), result.aar, result.errors)

        assertTrue(result.sources.exists())
        val pom = parsed(folder.resolve("gatehand-$version.pom").readBytes())
        assertEquals("aar", pom.text("packaging"))
        assertEquals(listOf("io.gatehand", "gatehand", version), pom.own("groupId", "artifactId", "version"))
        val catalog = Regex("^([a-z0-9-]+) = \"([^\"]+)\"", RegexOption.MULTILINE)
            .findAll(Project.text("android/gradle/libs.versions.toml")).associate { it.groupValues[1] to it.groupValues[2] }
        assertEquals(
            setOf(
                listOf("org.jetbrains.kotlin", "kotlin-stdlib", catalog["stdlib"], "compile"),
                listOf("org.jetbrains.kotlinx", "kotlinx-coroutines-core", catalog["coroutines"], "compile"),
            ),
            pom.all("dependency").map { one -> listOf("groupId", "artifactId", "version", "scope").map { one.text(it) } }.toSet(),
        )
        val uses = Regex("^ {4}(?:api|implementation)\\((.+)\\)", RegexOption.MULTILINE).findAll(gradle).map { it.groupValues[1] }
        assertEquals(listOf("libs.coroutines.core"), uses.toList(), "the list above follows the Gradle build")
    }
}
