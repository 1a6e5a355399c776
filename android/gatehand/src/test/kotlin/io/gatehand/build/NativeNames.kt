package io.gatehand.build

import io.gatehand.internal.CalledFromNative
import java.lang.reflect.Method
import java.lang.reflect.Modifier
import java.nio.file.Files
import java.nio.file.Path
import org.objectweb.asm.AnnotationVisitor
import org.objectweb.asm.ClassReader
import org.objectweb.asm.ClassVisitor
import org.objectweb.asm.MethodVisitor
import org.objectweb.asm.Opcodes

/** What native code and the library's classes know each other by: what R8 must neither drop nor rename. */
internal object NativeNames {
    private val annotation = "L${CalledFromNative::class.java.name.replace('.', '/')};"

    /** The compiled classes of the library. */
    fun classFiles(): List<Path> =
        Files.walk(Project.classes).use { files -> files.filter { it.toString().endsWith(".class") }.sorted().toList() }

    /** Class by class, each `external` method and each that is marked as called from native code. */
    fun declared(): Map<String, List<Method>> = classFiles()
        .associate { file -> Project.classes.relativize(file).toString().removeSuffix(".class").replace('/', '.') to marked(file) }
        .mapValues { (name, marked) ->
            Class.forName(name, false, javaClass.classLoader).declaredMethods
                .filter { Modifier.isNative(it.modifiers) || (it.name in marked && !it.isSynthetic) }
        }
        .filterValues { it.isNotEmpty() }

    /** The same as one text each. */
    fun signatures(): Set<String> = declared().values.flatten().map(::signature).toSet()

    /** Class, name, types, and whether native. */
    fun signature(method: Method): String {
        val native = if (Modifier.isNative(method.modifiers)) "native " else ""
        return "$native${method.returnType.name} ${method.declaringClass.name}.${method.name}" +
            method.parameterTypes.joinToString(", ", "(", ")") { it.name }
    }

    // It is not there at run time, so it is read from the class file.
    private fun marked(file: Path): Set<String> {
        val methods = HashSet<String>()
        val visitor = object : ClassVisitor(Opcodes.ASM9) {
            override fun visitMethod(access: Int, name: String, descriptor: String, signature: String?, exceptions: Array<String>?) =
                object : MethodVisitor(Opcodes.ASM9) {
                    override fun visitAnnotation(type: String, visible: Boolean): AnnotationVisitor? {
                        if (type == annotation) methods.add(name)
                        return null
                    }
                }
        }
        ClassReader(Files.readAllBytes(file)).accept(visitor, ClassReader.SKIP_CODE)
        return methods
    }
}
