package io.gatehand.sample

import java.io.File
import javax.xml.parsers.DocumentBuilderFactory
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import org.w3c.dom.Element

class TranslationTest {
    private fun strings(folder: String): Map<String, Element> {
        val project = checkNotNull(System.getProperty("gatehand.project")) { "run by Maven" }
        val file = File(project, "android/sample/src/main/res/$folder/strings.xml")
        val strings = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file).getElementsByTagName("string")
        return (0 until strings.length).map { strings.item(it) as Element }.associateBy { it.getAttribute("name") }
    }

    private fun arguments(element: Element): List<String> =
        Regex("%[0-9]\\$[a-z]").findAll(element.textContent).map { it.value }.sorted().toList()

    @Test
    fun every_text_is_there_in_german_with_the_same_arguments() {
        val english = strings("values").filterValues { it.getAttribute("translatable") != "false" }
        val german = strings("values-de")
        assertEquals(english.keys, german.keys)
        assertTrue(english.size > 50)
        for ((name, text) in english) assertEquals(arguments(text), arguments(german.getValue(name)), name)
    }
}
