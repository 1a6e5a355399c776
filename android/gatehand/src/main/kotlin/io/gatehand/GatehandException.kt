package io.gatehand

/**
 * What an operation of gatehand failed with.
 *
 * [code] is for programs, [message] is one sentence that says what failed and what to do, and the
 * chain of [causes][cause] tells why. None of them ever holds a key or a token.
 *
 * Wrong use of a closed agent is no such exception but an [IllegalStateException].
 *
 * @property code What failed.
 */
public open class GatehandException internal constructor(
    public val code: ErrorCode,
    override val message: String,
    cause: Throwable? = null,
) : Exception(message, cause)

/** A text, link or typed code is no enrolment. The message never repeats it. */
public class EnrolmentCodeException internal constructor(
    code: ErrorCode,
    message: String,
    cause: Throwable? = null,
) : GatehandException(code, message, cause)

/** What the device is does not allow this: see [code] and [ScannerAgent.state]. */
public class DeviceStateException internal constructor(
    code: ErrorCode,
    message: String,
    cause: Throwable? = null,
) : GatehandException(code, message, cause)

/**
 * The server refused, or says that the key is not valid any more.
 *
 * @property status HTTP status: 400, 401 or 403.
 */
public class RefusedException internal constructor(
    code: ErrorCode,
    message: String,
    public val status: Int,
    cause: Throwable? = null,
) : GatehandException(code, message, cause)

/** The server was not reached, or something else answered. Trying again later is right. */
public class ConnectionException internal constructor(
    code: ErrorCode,
    message: String,
    cause: Throwable? = null,
) : GatehandException(code, message, cause)

/** The vault, or the Keystore's key that opens it, can't be used. Nothing was deleted. */
public class VaultException internal constructor(
    code: ErrorCode,
    message: String,
    cause: Throwable? = null,
) : GatehandException(code, message, cause)

/** The native library can't be loaded, or does not belong to these classes. */
public class NativeLibraryException internal constructor(
    message: String,
    cause: Throwable? = null,
) : GatehandException(ErrorCode.LIBRARY_UNUSABLE, message, cause)
