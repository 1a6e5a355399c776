package io.gatehand.internal

import io.gatehand.DisplayText

/**
 * What a value of the API consists of: by it values are compared, and shown on one line that is cleaned for a log.
 * In place of a `data class`, whose `copy` and `componentN` break apps with each new field.
 */
internal class Fields(private val type: String, private vararg val fields: Pair<String, Any?>) {
    override fun equals(other: Any?): Boolean = other is Fields && other.type == type && other.fields.contentEquals(fields)

    override fun hashCode(): Int = 31 * type.hashCode() + fields.contentHashCode()

    override fun toString(): String {
        val shown = fields.joinToString(", ", "(", ")") { (name, value) -> "$name=$value" }
        return DisplayText.of(if (fields.isEmpty()) type else type + shown)
    }
}
