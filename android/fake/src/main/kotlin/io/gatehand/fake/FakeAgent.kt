package io.gatehand.fake

import io.gatehand.Agent
import io.gatehand.AgentEvent
import io.gatehand.AgentListener
import io.gatehand.ApiHeaders
import io.gatehand.ApiRequest
import io.gatehand.ApiResponse
import io.gatehand.ConfirmedEnrolment
import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.ErrorCode
import io.gatehand.EventSelection
import io.gatehand.EventSuggestion
import io.gatehand.ExistingIdentity
import io.gatehand.GatehandException
import io.gatehand.Heartbeat
import io.gatehand.Identity
import io.gatehand.ManagedOutcome
import io.gatehand.MediumKeySet
import io.gatehand.MediumKeySets
import io.gatehand.Operation
import io.gatehand.StreamedResponse
import io.gatehand.Subscription
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.Executor
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asSharedFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch

/**
 * An agent for an app's own tests. It needs neither the native library nor Android nor a server, and
 * may be used from any thread.
 *
 * Unless told otherwise it is an agent whose server agrees to everything: [initialize] and [adopt] make it the
 * device [identity], [revoke] ends that, and what needs a key fails without one, as with a real agent. A
 * call of the API is answered by [answers].
 *
 * @param state What the device is at first.
 */
public class FakeAgent @JvmOverloads constructor(state: DeviceState = DeviceState.NotEnrolled) : Agent {
    private val current = MutableStateFlow(state)
    private val happened = MutableSharedFlow<AgentEvent>(extraBufferCapacity = EVENTS)
    private val managed = MutableStateFlow<ManagedOutcome>(ManagedOutcome.NotConfigured)
    private val sent = CopyOnWriteArrayList<ApiRequest>()
    private val next = ConcurrentLinkedQueue<GatehandException>()
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    @Volatile
    private var always: GatehandException? = null

    @Volatile
    private var isClosed = false

    /** The key sets that were told last. */
    @Volatile
    private var kept: MediumKeySets? = null

    override val state: StateFlow<DeviceState> = current.asStateFlow()

    override val events: Flow<AgentEvent> = happened.asSharedFlow()

    override val managedOutcome: StateFlow<ManagedOutcome> = managed.asStateFlow()

    /** The device that [initialize] and [adopt] make of it: unless a test says another, one of the server that they name. */
    public var identity: Identity
        get() = told ?: example
        set(value) {
            told = value
        }

    @Volatile
    private var told: Identity? = null

    @Volatile
    private var example = exampleOf("https://pretix.eu")

    /** Answers the calls of [request] and [stream]; status 404 unless said. What it throws, they throw. */
    @Volatile
    public var answers: (ApiRequest) -> ApiResponse = { json("""{"detail": "Not found."}""", NOT_FOUND) }

    /** What [eventSelection] suggests. */
    @Volatile
    public var suggestion: EventSuggestion = EventSuggestion.None

    /** What the server tells [mediumKeySets], which keeps it for when a test has the server be away. */
    @Volatile
    public var keySets: List<MediumKeySet> = emptyList()

    /** The calls of [request] and [stream] that did not fail before they were sent, the first one first. */
    public val requests: List<ApiRequest> get() = sent.toList()

    /** Makes the device [state], as its server or the Keystore may do at any time. */
    public fun become(state: DeviceState) {
        if (state !is DeviceState.Enrolled && state !is DeviceState.Rejected) kept = null
        current.value = state
    }

    /** Has [event] happen. */
    public fun tell(event: AgentEvent) {
        happened.tryEmit(event)
    }

    /** Says what became of a managed configuration. */
    public fun tell(outcome: ManagedOutcome) {
        managed.value = outcome
    }

    /** The next operation fails with [error]; called more than once, one operation after the other does. */
    public fun failNext(error: GatehandException) {
        next.add(error)
    }

    /** The next operation fails with [code]; see [failNext] of an exception. */
    public fun failNext(code: ErrorCode) {
        failNext(failure(code))
    }

    /** Each operation fails with [error], until [failNoMore]. */
    public fun failAlways(error: GatehandException) {
        always = error
    }

    /** Each operation fails with [code]; see [failAlways] of an exception. */
    public fun failAlways(code: ErrorCode) {
        failAlways(failure(code))
    }

    /** Takes back what was said of failures. */
    public fun failNoMore() {
        next.clear()
        always = null
    }

    override fun status(): DeviceState {
        checkOpen()
        return current.value
    }

    @JvmSynthetic
    override suspend fun initialize(enrolment: ConfirmedEnrolment, replace: Boolean): Identity {
        mayFail()
        return enrol(enrolment.server, replace)
    }

    @JvmSynthetic
    override suspend fun adopt(existing: ExistingIdentity): Identity {
        mayFail()
        val server = existing.server
        return enrol(if ("://" in server) server else "https://$server", replace = false)
    }

    @JvmSynthetic
    override suspend fun refresh(): Identity {
        mayFail()
        val before = current.value
        if (before is DeviceState.Enrolling) return become(before.server)
        if (before is DeviceState.Rejected) return become(identity)
        return enrolled().also { tell(AgentEvent.ReportAcknowledged) }
    }

    @JvmSynthetic
    override suspend fun report(): Identity = refresh()

    @JvmSynthetic
    override suspend fun roll(): Identity {
        mayFail()
        return enrolled().also {
            tell(AgentEvent.KeyRolled)
            tell(AgentEvent.OperationFinished(Operation.ROLL))
        }
    }

    @JvmSynthetic
    override suspend fun revoke() {
        mayFail()
        current.value = DeviceState.Revoked(enrolled())
        kept = null
        tell(AgentEvent.OperationFinished(Operation.REVOKE))
    }

    @JvmSynthetic
    override suspend fun eventSelection(current: EventSelection?): EventSuggestion {
        mayFail()
        enrolled()
        return suggestion
    }

    @JvmSynthetic
    override suspend fun mediumKeySets(): MediumKeySets {
        try {
            mayFail()
        } catch (away: ConnectionException) {
            val sets = kept?.takeIf { current.value is DeviceState.Enrolled } ?: throw away
            return MediumKeySets(sets, sets.asOfMillis, away)
        }
        enrolled()
        return MediumKeySets(keySets, System.currentTimeMillis()).also { kept = it }
    }

    @JvmSynthetic
    override suspend fun request(request: ApiRequest): ApiResponse {
        mayFail()
        enrolled()
        sent.add(request)
        return answers(request)
    }

    @JvmSynthetic
    override suspend fun stream(request: ApiRequest): StreamedResponse =
        request(request).let { StreamedResponse(it.status, it.headers, it.body.inputStream()) }

    @JvmSynthetic
    override suspend fun heartbeat(): Heartbeat =
        try {
            refresh()
            Heartbeat.DONE
        } catch (error: GatehandException) {
            if (error.isTemporary) Heartbeat.TRY_LATER else Heartbeat.NEEDS_PERSON
        }

    override fun addListener(executor: Executor, listener: AgentListener): Subscription {
        status()
        val listening = scope.launch(executor.asCoroutineDispatcher()) {
            launch { events.collect(listener::onEvent) }
            state.collect(listener::onState)
        }
        return Subscription { listening.cancel() }
    }

    override fun close() {
        isClosed = true
        scope.cancel()
    }

    private fun checkOpen() {
        check(!isClosed) { "this FakeAgent is closed: make another one" }
    }

    /** As with a real agent, a key that is not valid any more changes what the device is. */
    private fun mayFail() {
        checkOpen()
        val error = next.poll() ?: always ?: return
        val before = current.value
        if (before is DeviceState.Enrolled && error.code == ErrorCode.REJECTED) current.value = DeviceState.Rejected(before.identity)
        if (before is DeviceState.Enrolled && error.code == ErrorCode.REVOKED) become(DeviceState.Revoked(before.identity))
        throw error
    }

    private fun enrol(server: String, replace: Boolean): Identity {
        val before = current.value
        if (!replace) {
            if (before is DeviceState.Enrolled || before is DeviceState.Rejected) throw failure(ErrorCode.ALREADY_ENROLLED)
            if (before is DeviceState.VaultLocked) throw before.cause
        }
        kept = null
        return become(server)
    }

    private fun become(server: String): Identity {
        example = exampleOf(server.trimEnd('/'))
        return become(identity)
    }

    private fun become(identity: Identity): Identity {
        current.value = DeviceState.Enrolled(identity)
        tell(AgentEvent.OperationFinished(Operation.INITIALIZE))
        return identity
    }

    private fun enrolled(): Identity = when (val state = current.value) {
        is DeviceState.Enrolled -> state.identity
        is DeviceState.Rejected -> throw failure(ErrorCode.REJECTED)
        is DeviceState.Revoked -> throw failure(ErrorCode.REVOKED)
        is DeviceState.AnswerLost -> throw failure(ErrorCode.ANSWER_LOST)
        is DeviceState.VaultLocked -> throw state.cause
        is DeviceState.EnrolAgain -> throw state.cause
        else -> throw failure(ErrorCode.NOT_ENROLLED)
    }

    /** Makes answers. */
    public companion object {
        private const val EVENTS = 64
        private const val NOT_FOUND = 404
        private const val BAD_REQUEST = 400
        private const val REFUSED = 403
        private const val UNAUTHORIZED = 401

        private fun exampleOf(server: String) = Identity.Builder(server).organizer("bigevents").deviceId(1)
            .uniqueSerial("ABCDEFGHIJKLMNOP").name("Lane 1").securityProfile("full").serverVersion("2026.8.0").build()

        /** An answer of JSON, as the server's are. */
        @JvmStatic
        @JvmOverloads
        public fun json(text: String, status: Int = 200): ApiResponse =
            ApiResponse(status, ApiHeaders(listOf("Content-Type" to "application/json")), text.encodeToByteArray())

        private fun failure(code: ErrorCode): GatehandException {
            val status = when (code) {
                ErrorCode.REJECTED, ErrorCode.REVOKED -> UNAUTHORIZED
                ErrorCode.REFUSED -> REFUSED
                ErrorCode.OTHER_MEDIA_KEY -> BAD_REQUEST
                else -> 0
            }
            return GatehandException.of(code, "a test said that this fails with ${code.id}", status)
        }
    }
}
