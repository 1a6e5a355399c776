package io.gatehand.fake

import java.io.File
import java.util.zip.ZipFile
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import org.junit.Rule
import org.junit.rules.TemporaryFolder

/** `android/aar.sh` puts the fake where apps' tests find it. */
class RepositoryTest {
    @get:Rule
    val temporary = TemporaryFolder()

    @Test
    fun a_maven_repository_has_the_fake_beside_the_library() {
        val android = File(checkNotNull(System.getProperty("gatehand.project")) { "run by Maven" }, "android")
        val repository = temporary.newFolder()
        val made = ProcessBuilder(
            "$android/aar.sh", "--without-native-libraries", "--jni", "${temporary.newFolder()}",
            "--classes", "$android/gatehand/target/classes", "--fake", "$android/fake/target/classes", "--repository", "$repository",
        ).redirectErrorStream(true).start()
        val output = made.inputStream.reader().readText()
        assertEquals(0, made.waitFor(), output)

        val folder = repository.resolve("io/gatehand/gatehand-fake").listFiles().orEmpty().single()
        val names = ZipFile(folder.resolve("gatehand-fake-${folder.name}.jar")).use { jar -> jar.entries().toList().map { it.name } }
        assertContains(names, "io/gatehand/fake/FakeAgent.class")
        // Whatever stands beside it comes from the library itself.
        assertEquals(emptyList(), names.filter { it.endsWith(".class") && !it.startsWith("io/gatehand/fake/") })
        val pom = folder.resolve("gatehand-fake-${folder.name}.pom").readText()
        assertContains(pom, "<artifactId>gatehand</artifactId>\n      <version>${folder.name}</version>\n      <scope>compile</scope>")
    }
}
