package io.gatehand.build

import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** The outside of a native library, as far as anything looks that decides whether a device loads it. */
internal data class ElfFile(
    val machine: Int,
    val bits: Int,
    /** 3 is a shared library. */
    val type: Int = 3,
    /** Whole or not, of the segments. */
    val alignment: Int = 0x4000,
    /** The API level that it was built for; null if it is not for Android. */
    val level: Int? = 21,
    val exports: String = "Java_io_gatehand_internal_Native_version__",
    /** Sections that are there besides. */
    val debugging: List<String> = emptyList(),
) {
    private class Section(val name: String, val type: Int, val content: ByteArray)

    fun bytes(): ByteArray {
        val sections = buildList {
            add(Section("", 0, ByteArray(0)))
            if (level != null) add(Section(".note.android.ident", 7, note(level)))
            add(Section(".dynstr", 3, exports.toByteArray()))
            for (name in debugging) add(Section(name, if (name == ".symtab") 2 else 1, ByteArray(0)))
            add(Section(".shstrtab", 3, (map { it.name } + ".shstrtab").joinToString("\u0000", postfix = "\u0000").toByteArray()))
        }
        val header = if (bits == 64) 64 else 52
        val segment = if (bits == 64) 56 else 32
        val content = ByteArrayOutputStream()
        val offsets = sections.map { section ->
            val start = header + 2 * segment + content.size()
            content.write(section.content)
            // What follows begins at a multiple of a word.
            while ((header + 2 * segment + content.size()) % 8 != 0) content.write(0)
            start
        }
        val table = header + 2 * segment + content.size()
        return Writer(table + sections.size * if (bits == 64) 64 else 40).apply {
            bytes(0x7f, 'E'.code, 'L'.code, 'F'.code, if (bits == 64) 2 else 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
            short(type); short(machine); int(1)
            word(0); word(header); word(table)
            int(0); short(header); short(segment); short(2)
            short(if (bits == 64) 64 else 40); short(sections.size); short(sections.size - 1)
            load(flags = 5, table)
            load(flags = 6, table)
            raw(content.toByteArray())
            var name = 0
            sections.forEachIndexed { index, section ->
                int(name); int(section.type); word(0); word(0); word(offsets[index]); word(section.content.size)
                int(0); int(0); word(4); word(if (section.type == 2) 24 else 0)
                name += section.name.length + 1
            }
        }.buffer.array()
    }

    /** As the NDK links it to each library. */
    private fun note(level: Int): ByteArray = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN)
        .putInt(8).putInt(4).putInt(1).put("Android\u0000".toByteArray()).putInt(level).array()

    private inner class Writer(size: Int) {
        val buffer: ByteBuffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN)

        fun bytes(vararg values: Int) = values.forEach { buffer.put(it.toByte()) }
        fun raw(values: ByteArray) = buffer.put(values)
        fun short(value: Int) = buffer.putShort(value.toShort())
        fun int(value: Int) = buffer.putInt(value)
        fun word(value: Int) = if (bits == 64) buffer.putLong(value.toLong()) else buffer.putInt(value)

        fun load(flags: Int, size: Int) {
            int(1)
            if (bits == 64) int(flags)
            word(0); word(0); word(0); word(size); word(size)
            if (bits == 32) int(flags)
            word(alignment)
        }
    }

    companion object {
        val ARM64 = ElfFile(machine = 183, bits = 64)
        val ARM = ElfFile(machine = 40, bits = 32, alignment = 0x1000)
        val X86_64 = ElfFile(machine = 62, bits = 64)
    }
}
