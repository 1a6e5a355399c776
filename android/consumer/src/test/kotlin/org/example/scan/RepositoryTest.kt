package org.example.scan

import java.io.File
import java.net.URLClassLoader
import java.util.zip.ZipFile
import javax.tools.ToolProvider
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import org.junit.Rule
import org.junit.rules.TemporaryFolder

/** Apps find all that there is where `android/aar.sh` puts it. */
class RepositoryTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private val android = File(property("gatehand.project"), "android")

    private fun property(name: String): String = checkNotNull(System.getProperty(name)) { "run by Maven: it says $name" }

    private fun run(vararg command: String): String {
        val process = ProcessBuilder(*command).redirectErrorStream(true).start()
        val output = process.inputStream.reader().readText()
        assertEquals(0, process.waitFor(), "${command.toList()}\n$output")
        return output
    }

    private val repository: File by lazy {
        temporary.newFolder().also { repository ->
            val others = OTHERS.flatMap { listOf("--$it", "$android/$it/target/classes") }
            run(
                "$android/aar.sh", "--without-native-libraries", "--jni", "${temporary.newFolder()}",
                "--classes", "$android/gatehand/target/classes", *others.toTypedArray(), "--repository", "$repository",
            )
        }
    }

    private fun folder(artifact: String) = repository.resolve("io/gatehand/$artifact").listFiles().orEmpty().single()

    private fun entries(zip: File): Map<String, ByteArray> = ZipFile(zip).use { all ->
        all.entries().toList().associate { it.name to all.getInputStream(it).readBytes() }
    }

    private fun unpacked(aar: File): File = temporary.newFile("${aar.name}.jar").apply { writeBytes(entries(aar).getValue("classes.jar")) }

    @Test
    fun each_artifact_has_its_own_classes_their_sources_and_a_pom() {
        val expected = mapOf("gatehand" to "aar", "gatehand-okhttp" to "jar", "gatehand-datawedge" to "aar", "gatehand-fake" to "jar")
        assertEquals(expected.keys, repository.resolve("io/gatehand").list()?.toSet())
        for ((artifact, kind) in expected) {
            val folder = folder(artifact)
            val name = "$artifact-${folder.name}"
            assertEquals(setOf("$name.$kind", "$name-sources.jar", "$name.pom"), folder.list()?.toSet())
            val main = folder.resolve("$name.$kind")
            val classes = entries(if (kind == "aar") unpacked(main) else main).keys.filter { it.endsWith(".class") }
            val place = "io/gatehand/${artifact.removePrefix("gatehand").removePrefix("-")}".trimEnd('/')
            assertEquals(emptyList(), classes.filterNot { it.startsWith("$place/") })
            val strangers = if (artifact == "gatehand") OTHERS.map { "$place/$it/" } else emptyList()
            assertEquals(emptyList(), classes.filter { name -> strangers.any(name::startsWith) })
            val module = if (artifact == "gatehand") artifact else artifact.removePrefix("gatehand-")
            val sources = android.resolve("$module/src/main/kotlin").walk().filter { it.isFile }
            assertEquals(sources.map { it.relativeTo(android.resolve("$module/src/main/kotlin")).path }.toSet(), entries(folder.resolve("$name-sources.jar")).keys)
        }
    }

    @Test
    fun the_scan_engines_manifest_comes_along() {
        val folder = folder("gatehand-datawedge")
        val manifest = entries(folder.resolve("gatehand-datawedge-${folder.name}.aar")).getValue("AndroidManifest.xml").decodeToString()
        assertContains(manifest, "package=\"io.gatehand.datawedge\"")
        assertContains(manifest, "android:minSdkVersion=\"21\"")
        assertContains(manifest, "com.symbol.datawedge")
    }

    /** What Maven finds for an app that needs these: only what the POMs name. */
    private fun resolved(): List<File> {
        val app = temporary.newFolder()
        val dependencies = listOf("gatehand-okhttp" to "jar", "gatehand-datawedge" to "aar", "gatehand-fake" to "jar").joinToString("") { (artifact, type) ->
            "<dependency><groupId>io.gatehand</groupId><artifactId>$artifact</artifactId><version>${folder(artifact).name}</version><type>$type</type></dependency>"
        }
        app.resolve("pom.xml").writeText(
            """
            <project xmlns="http://maven.apache.org/POM/4.0.0">
              <modelVersion>4.0.0</modelVersion>
              <groupId>org.example</groupId><artifactId>scan</artifactId><version>1</version><packaging>pom</packaging>
              <repositories><repository><id>own</id><url>${repository.toURI()}</url></repository></repositories>
              <dependencies>$dependencies</dependencies>
            </project>
            """.trimIndent(),
        )
        // With a repository of its own, lest another build finds this one's artifacts; all else is what this build has.
        val here = File(property("maven.repository")).toURI()
        app.resolve("settings.xml").writeText(
            """
            <settings>
              <localRepository>${app.resolve("local")}</localRepository>
              <mirrors><mirror><id>here</id><url>$here</url><mirrorOf>*,!own</mirrorOf></mirror></mirrors>
            </settings>
            """.trimIndent(),
        )
        val found = app.resolve("found")
        run(
            "mvn", "-B", "-q", "-s", "$app/settings.xml", "-f", "$app/pom.xml",
            "org.apache.maven.plugins:maven-dependency-plugin:${property("maven.dependency")}:build-classpath", "-Dmdep.outputFile=$found",
        )
        return found.readText().trim().split(File.pathSeparatorChar).map(::File).map { if (it.extension == "aar") unpacked(it) else it }
    }

    @Test
    fun an_app_that_names_them_gets_all_that_it_needs_to_be_compiled_and_to_run() {
        val paths = resolved()
        val framework = property("java.class.path").split(File.pathSeparatorChar).single { "/android-all-" in it && "instrumented" !in it }
        val compiled = temporary.newFolder()
        val source = File(property("gatehand.project"), "android/consumer/src/main/java/org/example/scan/JavaScanner.java")
        val classPath = (paths + File(framework)).joinToString(File.pathSeparator)
        val status = ToolProvider.getSystemJavaCompiler()
            .run(null, null, System.out, "-proc:none", "-cp", classPath, "-d", "$compiled", "$source")
        assertEquals(0, status, "see the output: what it needs is not in ${paths.map { it.name }}")

        val urls = (paths + compiled + File(framework)).map { it.toURI().toURL() }.toTypedArray()
        URLClassLoader(urls, ClassLoader.getPlatformClassLoader()).use { app ->
            val agent = app.loadClass("io.gatehand.fake.FakeAgent").getConstructor().newInstance()
            val scanner = app.loadClass("org.example.scan.JavaScanner")
                .getConstructor(app.loadClass("io.gatehand.Agent")).newInstance(agent)
            val answer = scanner.javaClass.getMethod("ask", String::class.java).invoke(scanner, "https://pretix.eu/api/v1/version")
            assertEquals("NOT_ENROLLED", "$answer".uppercase())
        }
    }

    private companion object {
        val OTHERS = listOf("okhttp", "datawedge", "fake")
    }
}
