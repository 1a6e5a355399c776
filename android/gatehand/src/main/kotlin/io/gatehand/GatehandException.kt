package io.gatehand

import java.io.IOException

/**
 * What an operation of gatehand failed with.
 *
 * [code] is for programs, [message] is one sentence that says what failed and what to do, and the
 * chain of [causes][cause] tells why. None of them ever holds a key or a token. Each [ErrorCode]
 * comes in one class; `docs/ANDROID.md` has the table.
 *
 * It is an [IOException], as code that calls a network expects: what catches that catches this too.
 *
 * Wrong use is no such exception: what can be told to be nonsense where it is passed (an empty name, a
 * key with a line break) is an [IllegalArgumentException] there, and any call of a closed agent an
 * [IllegalStateException]. What only turns out with the device's server in view, as a path that leads
 * to another one, is this exception with [ErrorCode.ARGUMENT_INVALID].
 *
 * @property code What failed.
 */
public open class GatehandException @JvmOverloads constructor(
    public val code: ErrorCode,
    override val message: String,
    cause: Throwable? = null,
) : IOException(message, cause) {
    /** Whether the same may go well later without anybody doing anything, so that a worker tries again. */
    public open val isTemporary: Boolean
        get() = when (code) {
            ErrorCode.VAULT_IN_USE, ErrorCode.VAULT_UNWRITABLE, ErrorCode.KEYSTORE_UNAVAILABLE, ErrorCode.ANDROID_FAILED -> true
            else -> false
        }

    /** Makes exceptions. */
    public companion object {
        /**
         * The exception that the library throws for [code], of the class that belongs to it; for an app's own
         * tests.
         *
         * @param status HTTP status of the answer that led to it; 0 if none did.
         */
        @JvmStatic
        @JvmOverloads
        public fun of(code: ErrorCode, message: String, status: Int = 0, cause: Throwable? = null): GatehandException =
            when (code) {
                ErrorCode.ENROLMENT_INVALID, ErrorCode.ENROLMENT_TOO_NEW -> EnrolmentCodeException(code, message, cause)
                ErrorCode.NOT_ENROLLED, ErrorCode.ALREADY_ENROLLED, ErrorCode.ENROLMENT_UNFINISHED, ErrorCode.ANSWER_LOST ->
                    DeviceStateException(code, message, cause)
                ErrorCode.REFUSED, ErrorCode.TOKEN_REFUSED, ErrorCode.OTHER_DEVICE, ErrorCode.OTHER_MEDIA_KEY, ErrorCode.REJECTED,
                ErrorCode.REVOKED,
                -> RefusedException(code, message, status, cause)
                ErrorCode.UNREACHABLE, ErrorCode.TIMED_OUT, ErrorCode.CERTIFICATE_INVALID, ErrorCode.SERVER_FAILED,
                ErrorCode.FOREIGN_ANSWER,
                -> ConnectionException(code, message, status.takeIf { it > 0 }, cause)
                ErrorCode.VAULT_IN_USE, ErrorCode.VAULT_UNWRITABLE, ErrorCode.VAULT_DAMAGED, ErrorCode.VAULT_TOO_NEW,
                ErrorCode.KEY_LOST, ErrorCode.MEDIA_KEY_UNUSABLE, ErrorCode.KEYSTORE_UNAVAILABLE,
                -> VaultException(code, message, cause)
                ErrorCode.LIBRARY_UNUSABLE -> NativeLibraryException(message, cause)
                ErrorCode.ARGUMENT_INVALID, ErrorCode.ANSWER_TOO_LARGE, ErrorCode.BODY_FAILED, ErrorCode.ANDROID_FAILED,
                ErrorCode.INTERNAL,
                -> GatehandException(code, message, cause)
            }
    }
}

/** A text, link or typed code is no enrolment. The message never repeats it. */
public class EnrolmentCodeException @JvmOverloads constructor(
    code: ErrorCode,
    message: String,
    cause: Throwable? = null,
) : GatehandException(code, message, cause)

/** What the device is does not allow this: see [code] and [Agent.state]. */
public class DeviceStateException @JvmOverloads constructor(
    code: ErrorCode,
    message: String,
    cause: Throwable? = null,
) : GatehandException(code, message, cause)

/**
 * The server refused, or says that the key is not valid any more, or is another device's.
 *
 * @property status HTTP status: 400, 401 or 403; 200 with [ErrorCode.OTHER_DEVICE]. A device that is known
 *   to be revoked asks nobody, and has 401.
 */
public class RefusedException @JvmOverloads constructor(
    code: ErrorCode,
    message: String,
    public val status: Int,
    cause: Throwable? = null,
) : GatehandException(code, message, cause) {
    /** A 401 or 403 that is not about key or token may be a gateway's, which comes and goes. */
    override val isTemporary: Boolean get() = code == ErrorCode.REFUSED && status != BAD_REQUEST

    private companion object {
        const val BAD_REQUEST = 400
    }
}

/**
 * The server was not reached, failed, or something else answered. Trying again later is right, but for
 * [ErrorCode.CERTIFICATE_INVALID], which a person has to look at first.
 *
 * @property status HTTP status with [ErrorCode.SERVER_FAILED], where there is one.
 */
public class ConnectionException @JvmOverloads constructor(
    code: ErrorCode,
    message: String,
    public val status: Int? = null,
    cause: Throwable? = null,
) : GatehandException(code, message, cause) {
    override val isTemporary: Boolean get() = code != ErrorCode.CERTIFICATE_INVALID
}

/** The vault, or a key that the Keystore holds, can't be used. Nothing was deleted. */
public class VaultException @JvmOverloads constructor(
    code: ErrorCode,
    message: String,
    cause: Throwable? = null,
) : GatehandException(code, message, cause)

/** The native library can't be loaded, or does not belong to these classes. */
public class NativeLibraryException @JvmOverloads constructor(
    message: String,
    cause: Throwable? = null,
) : GatehandException(ErrorCode.LIBRARY_UNUSABLE, message, cause)
