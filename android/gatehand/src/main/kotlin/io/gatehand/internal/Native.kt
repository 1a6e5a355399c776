package io.gatehand.internal

/*
 * The border to the native library. These are all the functions that cross it, in src/jni on the
 * other side.
 *
 * - Text crosses as UTF-8 bytes, structures as JSON in such bytes, keys and bodies as plain bytes.
 *   No string crosses as a jstring but `version`, so that modified UTF-8 never matters.
 * - An agent, a call and a response are ids greater than 0, never pointers, and never used twice.
 *   An id that is closed or was never given out throws IllegalStateException; only `cancel`,
 *   `responseClose` and `closeAgent` of an id that is gone do nothing.
 * - What fails throws what Failures.exception makes of a failure. The codes "closed" and "own_thread"
 *   become an IllegalStateException, "cancelled" a CancellationException. A panic is caught and has the
 *   code "internal".
 * - A function that takes a Completion returns the call's id at once. The completion is told exactly
 *   once, by `succeeded` or `failed`, on a thread of the library; possibly before the id was
 *   returned. That thread must not be kept waiting.
 *   If the function itself throws, the completion is never told. A cancelled call is told `failed`
 *   with the code "cancelled" unless it was done before. A response whose completion was told but
 *   nobody waits for is closed by the Kotlin side.
 * - The library keeps a global reference to a completion until it was told, and to an observer
 *   until its agent is closed.
 * - closeAgent ends all calls of the agent with the code "closed" and does not wait for them.
 *   Threads end when nothing runs.
 *
 * The JSON shapes are in tests/data/bridge, a file for each and for each that has less in it: to_native
 * what Kotlin writes, to_kotlin what it reads. Tests of both sides hold to these files. What is not known
 * or not set is null for Kotlin, and left out for the library. Beyond what the files tell:
 *   config     device is what the hardware is; with set_aside, a vault that is there is renamed first
 *   trust      certificates are in Base64 of DER; system has those of Android, if they are trusted
 *   enrolment  origin and mapping are for a person's eyes; other_tokens may be meant instead of token
 *   redeemed   what initialize takes of an enrolment
 *   state      has a server while an enrolment is begun or an answer lost, and advice for the latter
 *   key sets   the keys are in Base64, and within it encrypted to the Keystore's key if they say so; unasked is the
 *              failure that has them come from the vault
 *   existing   the public half of its media key is in PEM
 *   failure    has a code of ErrorCode or of the three above, the outermost cause first, and a status if
 *              an answer led to it
 */
internal object Native {
    /** Version of the library; another one than that of the classes is refused. */
    @JvmStatic
    external fun version(): String

    /** Reads a scanned text; returns an enrolment. */
    @JvmStatic
    external fun parseEnrolment(text: ByteArray): ByteArray

    /** Reads what was typed; returns an enrolment. */
    @JvmStatic
    external fun typedEnrolment(server: ByteArray, token: ByteArray): ByteArray

    /**
     * Opens the vault in the config's folder with its key of 32 bytes, which the caller wipes; returns
     * the agent. Makes the vault if there is none. Never calls [observer] before it returned.
     */
    @JvmStatic
    external fun openAgent(config: ByteArray, key: ByteArray, observer: Observer): Long

    /** Closes an agent. */
    @JvmStatic
    external fun closeAgent(agent: Long)

    /** Has what begins from now on go by a proxy to servers with encryption, or by none for `null`. */
    @JvmStatic
    external fun useProxy(agent: Long, proxy: ByteArray?)

    /** A number that grows with each change of the agent's state; costs next to nothing. */
    @JvmStatic
    external fun stateVersion(agent: Long): Long

    /** The agent's state. */
    @JvmStatic
    external fun state(agent: Long): ByteArray

    /** Redeems a token, or goes on with it; succeeds with a state. [replace] gives an identity up for it. */
    @JvmStatic
    external fun initialize(
        agent: Long,
        redeemed: ByteArray,
        replace: Boolean,
        completion: Completion,
    ): Long

    /**
     * Takes an existing key into the vault after the server confirmed it; succeeds with a state. A media key comes
     * along only if the server takes it.
     */
    @JvmStatic
    external fun adopt(agent: Long, existing: ByteArray, completion: Completion): Long

    /** Finishes what was begun, reports what changed, asks `info`; succeeds with a state. */
    @JvmStatic
    external fun refresh(agent: Long, completion: Completion): Long

    /** Reports what the device is and how it is doing; succeeds with a state. */
    @JvmStatic
    external fun report(agent: Long, completion: Completion): Long

    /** Exchanges the key; succeeds with a state. */
    @JvmStatic
    external fun roll(agent: Long, completion: Completion): Long

    /** Gives the device's access up for good; succeeds with a state. */
    @JvmStatic
    external fun revoke(agent: Long, completion: Completion): Long

    /** Asks what to scan for; succeeds with a suggestion. */
    @JvmStatic
    external fun eventSelection(agent: Long, current: ByteArray, completion: Completion): Long

    /** Alias of the RSA key pair that was adopted with the device, as text; `null` if none was. Reads the vault. */
    @JvmStatic
    external fun mediaKeyAlias(agent: Long): ByteArray?

    /**
     * Asks for the keys of NFC media; succeeds with key sets, of the vault while the server is away.
     *
     * [publicKey] is the PEM of an RSA key pair that the Keystore holds; the library reports it, now
     * and in every later report, and hands the keys out as they are encrypted to it. With `null` the
     * library makes a pair of its own, seals it in the vault, and decrypts the keys itself. Whichever
     * pair was reported first stays: the server takes no other.
     */
    @JvmStatic
    external fun mediumKeySets(agent: Long, publicKey: ByteArray?, completion: Completion): Long

    /** Makes a call with a body at hand, or none; succeeds with a head and the answer's body. */
    @JvmStatic
    external fun request(agent: Long, request: ByteArray, body: ByteArray?, completion: Completion): Long

    /**
     * Makes a call with a body at hand, or none, while this thread waits: tells [waiter] of the answer before it
     * returns, or throws. If [isStreamed], the answer is that of `requestStreaming`, else of `request`.
     */
    @JvmStatic
    external fun requestHere(agent: Long, request: ByteArray, body: ByteArray?, isStreamed: Boolean, waiter: Waiter)

    /** Throws IllegalStateException on a thread that the library needs, as where it tells a completion. */
    @JvmStatic
    external fun checkMayWait()

    /**
     * Makes a call; succeeds with a head, what of the answer's body came with it, and a response, from which the
     * rest is then read piece by piece, or 0 if that was all. If [streamsBody], the request's body is what bodyWrite
     * gets until bodyFinish, instead of [body].
     */
    @JvmStatic
    external fun requestStreaming(
        agent: Long,
        request: ByteArray,
        body: ByteArray?,
        streamsBody: Boolean,
        completion: Completion,
    ): Long

    /**
     * Adds to a streamed request's body; blocks while the network takes no more. Returns whether
     * more is wanted: `false` once the call is done, whatever became of it.
     */
    @JvmStatic
    external fun bodyWrite(call: Long, bytes: ByteArray, offset: Int, length: Int): Boolean

    /** Ends a streamed request's body. */
    @JvmStatic
    external fun bodyFinish(call: Long)

    /** Reads at least one byte of a response's body, or returns -1 at its end; blocks meanwhile. */
    @JvmStatic
    external fun responseRead(response: Long, buffer: ByteArray, offset: Int, length: Int): Int

    /** Gives up what was not read of a response. Wakes a reader, whose read fails. */
    @JvmStatic
    external fun responseClose(response: Long)

    /** Ends a call early. */
    @JvmStatic
    external fun cancel(call: Long)
}

/** Is told how a call of the native library ended. */
@CalledFromNative
internal interface Completion {
    /**
     * The call is done.
     *
     * @param result JSON of the kind that the function's comment names.
     * @param body The answer's body, of `request` and, as far as it has come, of `requestStreaming`.
     * @param response What the rest is read from, of `requestStreaming` alone; else 0.
     */
    @CalledFromNative
    fun succeeded(result: ByteArray, body: ByteArray?, response: Long)

    /** The call failed; [error] is the error's JSON. */
    @CalledFromNative
    fun failed(error: ByteArray)
}

/** A thread that waits for a call, which alone calls this. */
@CalledFromNative
internal interface Waiter {
    /** Whether the call is wanted still; asked about ten times a second. What it throws ends the call, too. */
    @CalledFromNative
    fun isWanted(): Boolean

    /** The call is done; as [Completion.succeeded]. */
    @CalledFromNative
    fun answered(result: ByteArray, body: ByteArray?, response: Long)
}

/** The app's side of an agent. */
@CalledFromNative
internal interface Observer {
    /** Something happened; [event] is its JSON. The thread must not be kept waiting. */
    @CalledFromNative
    fun happened(event: ByteArray)

    /**
     * How the device is doing now, as JSON of any shape, or `null` if that is not reported. Asked for when a report
     * is sent, on a thread that may wait.
     */
    @CalledFromNative
    fun diagnostics(): ByteArray?
}
