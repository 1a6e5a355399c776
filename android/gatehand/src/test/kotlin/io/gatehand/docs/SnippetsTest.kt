package io.gatehand.docs

import io.gatehand.build.Project
import kotlin.test.Test
import kotlin.test.assertTrue

class SnippetsTest {
    @Test
    fun the_kotlin_of_the_documentation_is_what_is_compiled_here() {
        val compiled = listOf("gatehand/src/test/kotlin/io/gatehand/docs/Snippets.kt", "datawedge/src/test/kotlin/io/gatehand/docs/DataWedgeSnippets.kt")
            .joinToString("") { Project.text("android/$it") }
        val snippets = Regex("```kotlin\n(.*?)```", RegexOption.DOT_MATCHES_ALL).findAll(Project.text("docs/ANDROID.md"))
        val all = snippets.map { it.groupValues[1] }.toList()
        assertTrue(all.size > 3, "$all")
        for (snippet in all) assertTrue(snippet in compiled, "not compiled:\n$snippet")
    }
}
