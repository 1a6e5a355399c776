package io.gatehand

/**
 * What failed, for programs and logs. `docs/ANDROID.md` says for each which class it comes in and what
 * the app does. New codes may come: an app goes by the exception's class and
 * [isTemporary][GatehandException.isTemporary] for one that it does not know.
 *
 * @property id Stable name that goes into logs and reports; never changes its meaning.
 */
public enum class ErrorCode(public val id: String) {
    /** A scanned text, link or typed code is no enrolment. */
    ENROLMENT_INVALID("enrolment_invalid"),

    /** The code is of a newer kind than this library knows: the app must be updated. */
    ENROLMENT_TOO_NEW("enrolment_too_new"),

    /** The app passed something that can't be used, such as a path to another server. */
    ARGUMENT_INVALID("argument_invalid"),

    /** The device has no identity yet, so there is no key to make a call with. */
    NOT_ENROLLED("not_enrolled"),

    /** The device has an identity, and it was not said to be replaced. */
    ALREADY_ENROLLED("already_enrolled"),

    /** Another code was sent and its answer never read: go on with that one, or replace it. */
    ENROLMENT_UNFINISHED("enrolment_unfinished"),

    /** A server that can't repeat its answer may have used the token up: a new code is needed. */
    ANSWER_LOST("answer_lost"),

    /** The server refused, in its own words. */
    REFUSED("refused"),

    /** The server does not take this initialization token: it is unknown, revoked or used. A new code is needed. */
    TOKEN_REFUSED("token_refused"),

    /** The server knows the key, but of another device than the one that was named. */
    OTHER_DEVICE("other_device"),

    /**
     * The server keeps another RSA key for this device than the one that was to be adopted with it, and takes no
     * second one. Nothing was adopted.
     */
    OTHER_MEDIA_KEY("other_media_key"),

    /**
     * The server says that this key is not valid. Nothing was destroyed; it may recover, unless another
     * copy of the vault has rolled the key.
     */
    REJECTED("rejected"),

    /** This device's access was revoked, by the server or from here. Final. */
    REVOKED("revoked"),

    /** No connection, or it broke off. */
    UNREACHABLE("unreachable"),

    /** No answer within the time limit. */
    TIMED_OUT("timed_out"),

    /**
     * The server's certificate is not valid to this device: of an authority it does not know, for another
     * name or out of date, or the device's clock is wrong. A person has to look at it.
     */
    CERTIFICATE_INVALID("certificate_invalid"),

    /** The server answered that it can't answer: it failed, is busy, or has no such API at this address. */
    SERVER_FAILED("server_failed"),

    /** Something else than the server answered, such as a hotspot's login page. */
    FOREIGN_ANSWER("foreign_answer"),

    /** The answer is larger than what is read into memory: use [Agent.stream]. */
    ANSWER_TOO_LARGE("answer_too_large"),

    /** A body that the app streams could not be read or was cut short. */
    BODY_FAILED("body_failed"),

    /** Another agent, in this process or another one, has this vault open. */
    VAULT_IN_USE("vault_in_use"),

    /** The vault or its folder can't be written: full disk, wrong owner, read-only. */
    VAULT_UNWRITABLE("vault_unwritable"),

    /** The vault can't be read or is damaged. It is left as it is. */
    VAULT_DAMAGED("vault_damaged"),

    /** The vault or its key was written by a newer version of gatehand. */
    VAULT_TOO_NEW("vault_too_new"),

    /**
     * The Keystore's key that opens the vault is gone for good: the device must enrol again. From
     * [Agent.mediumKeySets] and [Agent.adopt] it is the key pair for NFC media alone.
     */
    KEY_LOST("key_lost"),

    /**
     * The Keystore's key that was to be adopted for NFC media is there, but can't be used: it is no RSA key, too
     * short, made for something else than decrypting with PKCS#1 padding, or asks the user each time.
     */
    MEDIA_KEY_UNUSABLE("media_key_unusable"),

    /** The Keystore does not answer as it should; later it may. */
    KEYSTORE_UNAVAILABLE("keystore_unavailable"),

    /** A service of Android's failed, as that for managed configurations; later it may not. */
    ANDROID_FAILED("android_failed"),

    /** The native library is missing, for another processor, or of another version. */
    LIBRARY_UNUSABLE("library_unusable"),

    /** A defect of gatehand. */
    INTERNAL("internal"),

    ;

    internal companion object {
        fun of(id: String): ErrorCode = entries.firstOrNull { it.id == id } ?: INTERNAL
    }
}
