package io.gatehand.build

import android.os.Build
import com.android.tools.r8.CompilationMode
import com.android.tools.r8.JdkClassFileProvider
import com.android.tools.r8.OutputMode
import com.android.tools.r8.R8
import com.android.tools.r8.R8Command
import com.android.tools.r8.origin.Origin
import io.gatehand.internal.Completion
import io.gatehand.internal.Observer
import java.net.URLClassLoader
import java.nio.file.Files
import java.nio.file.Path
import java.util.zip.ZipFile
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlinx.coroutines.Job
import org.jetbrains.annotations.NotNull
import org.junit.ClassRule
import org.junit.rules.TemporaryFolder

/** Shrinks and obfuscates the library with R8 itself, as the release build of an app does. */
class ShrinkingTest {
    private fun loader(jar: Path) = URLClassLoader(arrayOf(jar.toUri().toURL()), Surroundings())

    private fun entries(jar: Path): List<String> =
        ZipFile(jar.toFile()).use { zip -> zip.entries().asSequence().map { it.name }.filter { it.endsWith(".class") }.toList() }

    /** Every method of the classes that native code knows, as far as they are still there. */
    private fun survivors(jar: Path): Set<String> =
        loader(jar).use { loader ->
            NativeNames.declared().keys
                .mapNotNull { name -> runCatching { Class.forName(name, false, loader) }.getOrNull() }
                .flatMap { it.declaredMethods.map(NativeNames::signature) }
                .toSet()
        }

    /** Sees Android and Kotlin, but not the library as it was before. */
    private inner class Surroundings : ClassLoader(getPlatformClassLoader()) {
        override fun findClass(name: String): Class<*> {
            if (name.startsWith("io.gatehand.")) throw ClassNotFoundException(name)
            return this@ShrinkingTest.javaClass.classLoader.loadClass(name)
        }
    }

    private companion object {
        @ClassRule
        @JvmField
        val temporary = TemporaryFolder()

        /** An app that uses all there is, and knows it by whatever name R8 gives. */
        val app = listOf("-keep,allowobfuscation class io.gatehand.* { public *; }")
        val rules: List<String> = Files.readAllLines(Project.classes.resolve("META-INF/proguard/gatehand.pro"))

        /** The app with the library's rules; made once, for R8 takes some seconds. */
        val shrunk: Path by lazy { shrink(app + rules) }

        fun shrink(rules: List<String>): Path {
            // R8's own, which make it several times slower.
            R8::class.java.classLoader.setPackageAssertionStatus("com.android.tools.r8", false)
            val out = temporary.newFolder().toPath().resolve("out.jar")
            val command = R8Command.builder()
                .addProgramFiles(NativeNames.classFiles())
                .addClasspathFiles(listOf(Unit::class.java, Job::class.java, NotNull::class.java).map(Project::jarOf))
                .addLibraryFiles(Project.jarOf(Build::class.java))
                .addLibraryResourceProvider(JdkClassFileProvider.fromSystemJdk())
                .addProguardConfiguration(rules, Origin.unknown())
                .setMode(CompilationMode.RELEASE)
                .setOutput(out, OutputMode.ClassFile)
            R8.run(command.build())
            return out
        }
    }

    @Test
    fun all_that_native_code_knows_by_name_survives_with_the_librarys_rules() {
        assertTrue(NativeNames.signatures().size > 20, "${NativeNames.signatures()}")
        assertEquals(emptySet(), NativeNames.signatures() - survivors(shrunk))
    }

    @Test
    fun without_the_rules_all_of_it_would_be_lost() {
        assertEquals(NativeNames.signatures(), NativeNames.signatures() - survivors(shrink(app)))
    }

    @Test
    fun what_implements_a_callback_keeps_its_methods() {
        loader(shrunk).use { loader ->
            val classes = entries(shrunk).map { Class.forName(it.removeSuffix(".class").replace('/', '.'), false, loader) }
            for (callback in listOf(Completion::class.java, Observer::class.java)) {
                val type = Class.forName(callback.name, false, loader)
                val made = classes.filter { it != type && type.isAssignableFrom(it) }
                assertTrue(made.isNotEmpty(), "nothing implements ${callback.name}")
                val names = callback.declaredMethods.map { it.name }.toSet()
                for (one in made) assertEquals(names, names.intersect(one.declaredMethods.map { it.name }.toSet()), one.name)
            }
        }
    }

    @Test
    fun the_rules_keep_no_other_name() {
        val before = NativeNames.classFiles().map { Project.classes.relativize(it).toString() }.toSet()
        val known = NativeNames.declared().keys.map { "${it.replace('.', '/')}.class" }.toSet()
        assertEquals(known, before.intersect(entries(shrunk).toSet()))
    }
}
