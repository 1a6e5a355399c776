package io.gatehand.sample

import android.util.Log
import io.gatehand.ApiRequest
import io.gatehand.ConnectionException
import io.gatehand.DeviceState
import io.gatehand.Enrolment
import io.gatehand.EnrolmentCodeException
import io.gatehand.ErrorCode
import io.gatehand.EventSuggestion
import io.gatehand.GatehandException
import io.gatehand.ScannerAgent
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
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch

/**
 * What the screens show, and what pressing their buttons does. There is one for the whole process,
 * with the agent in it, so that neither is lost when an activity is.
 *
 * One thing is done at a time. What was scanned is kept in memory alone, as it holds a token.
 *
 * @param scans Whether this device has a scan engine that the app can use.
 * @param open Opens the agent; called off the main thread, as that reads files and asks the Keystore.
 * @param dispatcher Where to work.
 */
class DeviceModel(
    scans: Boolean,
    private val open: () -> ScannerAgent,
    dispatcher: CoroutineDispatcher = Dispatchers.Default,
) : Closeable {
    private val scope = CoroutineScope(SupervisorJob() + dispatcher)
    private val situation = MutableStateFlow(Situation(scans))

    @Volatile
    private var agent: ScannerAgent? = null

    /** What is to be shown. */
    val screen: StateFlow<Screen> =
        situation.map(::screenOf).stateIn(scope, SharingStarted.Eagerly, screenOf(situation.value))

    init {
        openAgent()
    }

    private fun openAgent() {
        scope.launch(Dispatchers.IO) {
            val opened = try {
                open()
            } catch (error: GatehandException) {
                Log.e(TAG, "the agent can't be opened", error)
                situation.update { it.copy(unusable = error) }
                return@launch
            }
            agent = opened
            if (!isActive) return@launch opened.close()
            launch { opened.state.collect { follow(opened) } }
            launch { opened.managedOutcome.collect { outcome -> situation.update { it.copy(managed = outcome) } } }
            follow(opened)
            when (opened.state.value) {
                // What was begun before the process ended is finished now, and a revocation is heard of.
                is DeviceState.Enrolling, is DeviceState.Enrolled, is DeviceState.Rejected -> act(Action.Refresh)
                else -> Unit
            }
        }
    }

    private fun follow(agent: ScannerAgent) {
        situation.update { it.copy(device = agent.state.value, unusable = null).withoutPointlessStep() }
    }

    /** A code was scanned, or a link opened. Nothing is sent before the person has agreed to the server. */
    fun scanned(text: String) {
        read { Enrolment.parse(text) }
    }

    /** Address and token were typed. */
    fun typed(server: String, token: String) {
        read { Enrolment.of(server, token) }
    }

    /** Does what was pressed. */
    fun act(action: Action) {
        when (action) {
            Action.OpenAgain -> {
                situation.update { it.copy(unusable = null) }
                openAgent()
            }
            Action.Type -> situation.update { it.copy(step = Step.Type, notice = null) }
            Action.Submit -> error("the fields are the view's")
            Action.Back -> back()
            is Action.Enrol -> enrol(action)
            Action.Refresh -> work(Work.REFRESH) { agent -> refresh(agent) }
            Action.Call -> work(Work.CALL) { agent -> noticeOf(agent.request(ApiRequest.get("/api/v1/device/info"))) }
            Action.Roll -> work(Work.ROLL) { agent ->
                agent.roll()
                Notice(Tone.GOOD, text(R.string.rolled))
            }
            Action.AskToRevoke -> situation.update { it.copy(step = Step.Revoke, notice = null).withoutPointlessStep() }
            Action.Revoke -> work(Work.REVOKE) { agent ->
                agent.revoke()
                null
            }
        }
    }

    /** Leaves a question or a form; returns whether there was one. */
    fun back(): Boolean {
        val before = situation.getAndUpdate { if (it.work == null) it.copy(step = null, notice = null) else it }
        return before.step != null
    }

    override fun close() {
        scope.cancel()
        agent?.close()
    }

    private fun read(parse: () -> Enrolment) {
        val before = situation.getAndUpdate {
            when {
                it.work != null -> it
                // A second code must not slip under a finger that is about to agree to the first.
                it.step is Step.Confirm || it.step is Step.Revoke -> it.copy(notice = ANSWER_FIRST)
                it.isEnrolled -> it.copy(notice = Situation.ALREADY_ENROLLED)
                else -> it.copy(work = Work.READ, notice = null)
            }
        }
        if (before.work != null || before.step is Step.Confirm || before.isEnrolled) return
        scope.launch {
            val (step, notice) = try {
                Step.Confirm(parse(), replaces = false) to null
            } catch (error: GatehandException) {
                before.step to said(error)
            }
            situation.update { it.copy(step = step, work = null, notice = notice).withoutPointlessStep() }
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
                val next = stepAfter(error, confirm, agent.status())
                situation.update { it.copy(step = next) }
                if (next?.replaces == true && !confirm.replaces) return@work null
                throw error
            }
            ask(agent)
            null
        }
    }

    /** What is begun or over is not asked again; what was not sent can be tried again without a second scan. */
    private fun stepAfter(error: GatehandException, confirm: Step.Confirm, state: DeviceState): Step.Confirm? = when {
        error.code in NEEDS_REPLACING -> confirm.copy(replaces = true)
        error is ConnectionException && state !is DeviceState.Enrolling -> confirm
        else -> null
    }

    private suspend fun refresh(agent: ScannerAgent): Notice? {
        agent.refresh()
        ask(agent)
        return Notice(Tone.GOOD, text(R.string.refreshed))
    }

    /** Asks what to scan for. The device is enrolled without it too. */
    private suspend fun ask(agent: ScannerAgent) {
        val current = (situation.value.event as? Event.Now)?.selection
        val event = when (val suggestion = agent.eventSelection(current)) {
            EventSuggestion.Keep -> return
            EventSuggestion.None -> Event.None
            is EventSuggestion.Switch -> Event.Now(suggestion.selection)
        }
        situation.update { it.copy(event = event) }
    }

    private fun work(work: Work, block: suspend (ScannerAgent) -> Notice?) {
        val agent = agent ?: return
        val before = situation.getAndUpdate { if (it.work == null) it.copy(work = work, notice = null) else it }
        if (before.work != null) return
        scope.launch {
            val notice = try {
                block(agent)
            } catch (error: GatehandException) {
                // The screen of the state that the error led to says it all.
                val isSaid = error.code in SAID_BY_STATE && agent.status().javaClass != before.device?.javaClass
                if (isSaid) null else said(error)
            }
            val device = agent.status()
            situation.update {
                val step = it.step.takeIf { work == Work.ENROL }
                it.copy(device = device, work = null, notice = notice, step = step).withoutPointlessStep()
            }
        }
    }

    private fun said(error: GatehandException): Notice {
        // None of gatehand's exceptions holds a key or a token.
        Log.w(TAG, error)
        val tone = if (error is ConnectionException || error is EnrolmentCodeException) Tone.WARNING else Tone.BAD
        return Notice(tone, wordsOf(error), detailOf(error))
    }

    private companion object {
        const val TAG = "gatehand"
        val ANSWER_FIRST = Notice(Tone.WARNING, text(R.string.answer_first))
        val NEEDS_REPLACING = setOf(ErrorCode.ALREADY_ENROLLED, ErrorCode.ENROLMENT_UNFINISHED)
        val SAID_BY_STATE = setOf(
            ErrorCode.NOT_ENROLLED,
            ErrorCode.ANSWER_LOST,
            ErrorCode.REJECTED,
            ErrorCode.REVOKED,
            ErrorCode.KEY_LOST,
            ErrorCode.VAULT_DAMAGED,
            ErrorCode.KEYSTORE_UNAVAILABLE,
        )
    }
}
