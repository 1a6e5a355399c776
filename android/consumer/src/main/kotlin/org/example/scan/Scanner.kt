package org.example.scan

import android.content.Context
import io.gatehand.Agent
import io.gatehand.AgentConfig
import io.gatehand.AgentEvent
import io.gatehand.ApiBody
import io.gatehand.ApiRequest
import io.gatehand.DeviceState
import io.gatehand.DisplayText
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.EventSelection
import io.gatehand.EventSuggestion
import io.gatehand.ExistingIdentity
import io.gatehand.GatehandException
import io.gatehand.Heartbeat
import io.gatehand.Identity
import io.gatehand.ManagedOutcome
import io.gatehand.ScannerAgent
import io.gatehand.datawedge.DataWedge
import io.gatehand.datawedge.DataWedgeListener
import io.gatehand.datawedge.SetUpOutcome
import io.gatehand.okhttp.GatehandInterceptor
import java.io.IOException
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.flow.first
import okhttp3.OkHttpClient

/** Uses each kind of declaration: suspending functions with defaults, flows, builders, values and objects. */
class Scanner(private val agent: Agent) {
    suspend fun setUp(scanned: String): String {
        val enrolment = Enrolment.parse(scanned)
        return nameOf(agent.initialize(enrolment.confirmed(enrolment.origin)))
    }

    suspend fun takeOver(key: String): String = nameOf(agent.adopt(ExistingIdentity("https://pretix.eu", key)))

    suspend fun redeem(secret: String): String =
        try {
            val call = ApiRequest.Builder("POST", "/api/v1/redeem").body(ApiBody.json(secret)).timeLimit(3, TimeUnit.SECONDS).build()
            agent.request(call).text()
        } catch (error: GatehandException) {
            if (error.code == ErrorCode.UNREACHABLE) "later" else "no"
        } catch (error: IOException) {
            "no"
        }

    suspend fun size(path: String): Int = agent.stream(ApiRequest.get(path)).use { it.body.readBytes().size }

    suspend fun event(): String? = when (val suggestion = agent.eventSelection()) {
        is EventSuggestion.Switch -> EventSelection(suggestion.selection.event, checkinList = 7).event
        else -> null
    }

    fun now(): String = when (val state = agent.state.value) {
        DeviceState.NotEnrolled -> "not enrolled"
        is DeviceState.Enrolled -> nameOf(state.identity)
        else -> "$state"
    }

    suspend fun rolled(): AgentEvent = agent.events.first { it == AgentEvent.KeyRolled }

    suspend fun beat(): Boolean = agent.heartbeat() == Heartbeat.DONE || agent.managedOutcome.value is ManagedOutcome.TryLater

    private fun nameOf(identity: Identity) = DisplayText.of(identity.name.ifEmpty { identity.uniqueSerial })

    companion object {
        fun open(context: Context): Scanner = Scanner(ScannerAgent.open(context, AgentConfig.Builder("scan", "1").build()))

        fun clientOf(agent: Agent): OkHttpClient =
            OkHttpClient.Builder().addInterceptor(GatehandInterceptor(agent, followRedirects = false)).build()

        fun engine(context: Context, read: (String) -> Unit): DataWedge = DataWedge(
            context,
            object : DataWedgeListener {
                override fun onScan(text: String) = read(text)

                override fun onSetUp(outcome: SetUpOutcome) = when (outcome.kind) {
                    SetUpOutcome.Kind.READY -> {}
                    else -> read("$outcome")
                }
            },
        )
    }
}
