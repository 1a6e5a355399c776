package io.gatehand.internal

/** The native library looks this up by name, so the R8 rules keep it. */
@Retention(AnnotationRetention.BINARY)
@Target(AnnotationTarget.CLASS, AnnotationTarget.FUNCTION)
internal annotation class CalledFromNative
