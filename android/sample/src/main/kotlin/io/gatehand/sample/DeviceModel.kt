package io.gatehand.sample

import android.util.Log
import io.gatehand.Agent
import io.gatehand.ApiRequest
import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.Enrolment
import io.gatehand.EventSuggestion
import io.gatehand.GatehandException
import io.gatehand.ManagedOutcome
import io.gatehand.datawedge.SetUpOutcome
import java.io.Closeable
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.getAndUpdate
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.stateIn
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/**
 * What the screens show, and what pressing their buttons does. There is one for the whole process, so
 * that nothing is lost when an activity is.
 *
 * One thing is done at a time. What was scanned is kept in memory alone, as it holds a token.
 *
 * @param scans Whether this device has a scan engine that the app can use.
 * @param shared The process's agent.
 * @param oldKey The key from before this app used gatehand.
 * @param tryAgainSoon Has the background try soon what could not be done now.
 * @param dispatcher Where to work.
 */
class DeviceModel(
    scans: Boolean,
    private val shared: SharedAgent,
    private val oldKey: OldKey,
    private val tryAgainSoon: () -> Unit,
    dispatcher: CoroutineDispatcher = Dispatchers.Default,
) : Closeable {
    private val scope = CoroutineScope(SupervisorJob() + dispatcher)
    private val situation = MutableStateFlow(Situation(scans))

    @Volatile
    private var agent: Agent? = null

    /** What is to be shown. */
    val screen: StateFlow<Screen> =
        situation.map(::screenOf).stateIn(scope, SharingStarted.Eagerly, screenOf(situation.value))

    init {
        open()
    }

    private fun open() {
        scope.launch {
            try {
                val opened = shared.get()
                agent = opened
                follow(opened)
                begin(opened)
            } catch (error: GatehandException) {
                Log.e(TAG, "the agent can't be opened", error)
                situation.update { it.copy(unusable = error) }
            }
        }
    }

    private fun follow(agent: Agent) {
        scope.launch {
            agent.state.collect { state -> situation.update { it.copy(device = state, unusable = null).withoutPointlessStep() } }
        }
        scope.launch {
            agent.events.collect { event -> situation.update { it.copy(lastEvent = event) } }
        }
        scope.launch {
            agent.managedOutcome.collect { outcome ->
                situation.update { it.copy(managed = outcome) }
                if (outcome is ManagedOutcome.TryLater) tryAgainSoon()
            }
        }
    }

    private suspend fun begin(agent: Agent) {
        val state = agent.state.value
        when {
            withContext(Dispatchers.IO) { oldKey.waits() } -> act(Action.TryAgain)
            // What was begun before the process ended is finished now, and a revocation is heard of.
            state is DeviceState.Enrolling || state is DeviceState.Enrolled || state is DeviceState.Rejected -> act(Action.Refresh)
        }
    }

    /** The scan engine read something: a code to set the device up with or, once it is, a ticket. */
    fun scanned(text: String) {
        // Another profile that brings scans does all that it should.
        situation.update { if (it.scanner?.kind == SetUpOutcome.Kind.OTHER_PROFILE) it.copy(scanner = null) else it }
        read(ticket = text) { Enrolment.parse(text) }
    }

    /** A link was opened. */
    fun linked(link: String) {
        read { Enrolment.parse(link) }
    }

    /** Address and token were typed. */
    fun typed(server: String, token: String) {
        read { Enrolment.of(server, token) }
    }

    /** What became of setting the scan engine up. */
    fun scannerIs(outcome: SetUpOutcome) {
        situation.update { it.copy(scanner = outcome) }
    }

    /** Does what was pressed. */
    fun act(action: Action) {
        when (action) {
            // Pressed twice, it opens once.
            Action.OpenAgain -> if (situation.getAndUpdate { it.copy(unusable = null) }.unusable != null) open()
            Action.Type -> situation.update { it.copy(step = Step.Type, notice = null) }
            Action.Submit -> error("the fields are the view's")
            Action.Back -> back()
            is Action.Enrol -> enrol(action)
            Action.Refresh -> work(Work.REFRESH) { agent -> refresh(agent) }
            Action.TryAgain -> work(Work.REFRESH) { agent -> tryAgain(agent) }
            Action.Call -> work(Work.CALL) { agent -> noticeOf(agent.request(ApiRequest.get("/api/v1/device/info"))) }
            Action.Roll -> work(Work.ROLL) { agent ->
                agent.roll()
                Notice(Tone.GOOD, text(R.string.rolled))
            }
            Action.Maintain -> situation.update { it.copy(step = Step.Maintain, notice = null).withoutPointlessStep() }
            Action.AskToRevoke -> situation.update { it.copy(step = Step.Revoke, notice = null).withoutPointlessStep() }
            Action.Revoke -> work(Work.REVOKE) { agent ->
                agent.revoke()
                null
            }
        }
    }

    /** Leaves a question, a form or the maintenance; returns whether there was one. */
    fun back(): Boolean {
        val before = situation.getAndUpdate { if (it.work == null) it.copy(step = null, notice = null) else it }
        return before.step != null
    }

    override fun close() {
        scope.cancel()
    }

    /** Nothing is sent before the person has agreed to the server. */
    private fun read(ticket: String? = null, parse: () -> Enrolment) {
        val before = situation.getAndUpdate {
            when {
                it.work != null -> it
                // A second code must not slip under a finger that is about to agree to the first.
                it.isAsking -> it.copy(notice = ANSWER_FIRST)
                // Whoever scans is at the gate.
                else -> it.copy(work = Work.READ, notice = null, step = it.step.takeUnless { step -> step == Step.Maintain })
            }
        }
        if (before.work != null || before.isAsking) return
        scope.launch {
            val after = readCode(ticket, parse)
            situation.update { after(it.copy(work = null)).withoutPointlessStep() }
        }
    }

    private fun enrol(answer: Action.Enrol) {
        val confirm = situation.value.step as? Step.Confirm ?: return
        // What was shown when the button was pressed counts, not what has come meanwhile.
        if (answer != confirm.agreement) return
        work(Work.ENROL) { agent ->
            try {
                agent.initialize(confirm.enrolment.confirmed(answer.origin), confirm.replaces)
                situation.update { it.copy(step = null, event = Event.Unknown) }
            } catch (error: GatehandException) {
                val next = confirm.after(error, agent.state.value)
                situation.update { it.copy(step = next) }
                if (next?.replaces == true && !confirm.replaces) return@work null
                throw error
            }
            ask(agent)
        }
    }

    private suspend fun refresh(agent: Agent): Notice? {
        agent.refresh()
        return ask(agent) ?: Notice(Tone.GOOD, text(R.string.refreshed))
    }

    /** Asks what to scan for. The device is ready without it, so a failure is not one of what came before. */
    private suspend fun ask(agent: Agent): Notice? {
        val current = (situation.value.event as? Event.Now)?.selection
        val event = try {
            when (val suggestion = agent.eventSelection(current)) {
                EventSuggestion.None -> Event.None
                is EventSuggestion.Switch -> Event.Now(suggestion.selection)
                // Keep, and what a newer library may suggest.
                else -> return null
            }
        } catch (error: GatehandException) {
            if (error.isSaidByState) throw error
            Log.w(TAG, error)
            return Notice(Tone.WARNING, text(R.string.event_not_told))
        }
        situation.update { it.copy(event = event) }
        return null
    }

    private suspend fun tryAgain(agent: Agent): Notice? {
        var withoutMediaKey: Notice? = null
        val notTaken = try {
            withoutMediaKey = oldKey.moveInto(agent)?.let(::mediaKeyNotice)
            null
        } catch (error: GatehandException) {
            Log.w(TAG, error)
            // That it waits is said anyway.
            if (error is ConnectionException) null else oldKeyNotice(error)
        }
        val waits = withContext(Dispatchers.IO) { oldKey.waits() }
        situation.update { it.copy(hasOldKey = waits) }
        agent.heartbeat()
        return if (agent.state.value is DeviceState.Enrolled) ask(agent) ?: withoutMediaKey else notTaken
    }

    private fun work(work: Work, block: suspend (Agent) -> Notice?) {
        val agent = agent ?: return
        val before = situation.getAndUpdate { if (it.work == null) it.copy(work = work, notice = null) else it }
        if (before.work != null) return
        scope.launch {
            val stateBefore = agent.state.value
            val notice = try {
                block(agent)
            } catch (error: GatehandException) {
                // None of gatehand's exceptions holds a key or a token.
                Log.w(TAG, error)
                // The screen of the state that the error led to says it all.
                val isSaid = error.isSaidByState && agent.state.value.javaClass != stateBefore.javaClass
                if (isSaid) null else noticeOf(error)
            }
            situation.update {
                val step = it.step.takeIf { step -> work == Work.ENROL || step == Step.Maintain }
                // The end of the work and what it led to are shown at once.
                it.copy(device = agent.state.value, work = null, notice = notice, step = step).withoutPointlessStep()
            }
        }
    }

    private companion object {
        const val TAG = "gatehand"
        val ANSWER_FIRST = Notice(Tone.WARNING, text(R.string.answer_first))
    }
}
