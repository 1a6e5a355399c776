@file:Suppress("unused", "UNUSED_VARIABLE")

package io.gatehand.docs

import android.app.Application
import android.content.Context
import io.gatehand.Agent
import io.gatehand.AgentConfig
import io.gatehand.ApiBody
import io.gatehand.ApiRequest
import io.gatehand.DeviceState
import io.gatehand.DisplayText
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.ExistingIdentity
import io.gatehand.Gate
import io.gatehand.GatehandException
import io.gatehand.Heartbeat
import io.gatehand.Identity
import io.gatehand.ScannerAgent
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/*
 * The Kotlin of docs/ANDROID.md, for the compiler to look at; a test compares the two. What an app
 * brings along, and androidx's WorkManager, which is not on Maven Central, have stand-ins at the end.
 */

class TicketApp : Application() {
    private val opening = Mutex()
    private var opened: Agent? = null

    /** The one agent of the process; the vault opens for no second one. */
    suspend fun agent(): Agent = opening.withLock { opened ?: open() }

    private suspend fun open() = withContext(Dispatchers.IO) {
        val config = AgentConfig.Builder("pretixSCAN", "2.3.1").build()
        ScannerAgent.open(this@TicketApp, config).also { opened = it }
    }
}

suspend fun setUp(agent: Agent, scannedText: String) {
    val enrolment = Enrolment.parse(scannedText)
    // A code can come from anywhere, so a person agrees to the server before anything is sent to it.
    if (!personAgreesTo(enrolment.origin)) return
    val identity = agent.initialize(enrolment.confirmed(enrolment.origin))
    show("This is ${DisplayText.of(identity.name)}")

    val answer = agent.request(ApiRequest.get("/api/v1/device/info"))
    if (answer.isSuccessful) show(answer.text())
}

suspend fun redeem(agent: Agent, queue: Queue, scan: Scan) {
    val call = ApiRequest.Builder("POST", "/api/v1/organizers/bigevents/checkinrpc/redeem/")
        .body(ApiBody.json(scan.json))
        .idempotencyKey(scan.id)
        .timeLimit(3, TimeUnit.SECONDS)
        .build()
    try {
        val answer = agent.request(call)
        val isJson = answer.headers["Content-Type"].orEmpty().startsWith("application/json")
        // A gateway's failure, or its login page, is no word of the server's.
        if (isJson && answer.status != 429 && answer.status < 500) show(answer.text()) else queue.add(scan)
    } catch (error: GatehandException) {
        if (!error.isTemporary) throw error
        queue.add(scan)
    }
}

fun heading(identity: Identity): String = DisplayText.of(identity.name.ifEmpty { identity.uniqueSerial })

suspend fun takeOver(agent: Agent, old: OldSettings) {
    val key = old.key ?: return
    val there = (agent.state.value as? DeviceState.Enrolled)?.identity
    if (there == null || old.uniqueSerial == null) {
        // The same device as before, with the same key. Once more is fine, as long as that was not replaced.
        val identity = try {
            agent.adopt(ExistingIdentity(old.server, key, old.uniqueSerial))
        } catch (error: GatehandException) {
            if (error.code != ErrorCode.ALREADY_ENROLLED) throw error
            // Another device is there by now: the one of the old key is to be revoked on the server.
            return
        }
        // Once it is, only the serial tells that this is the device.
        old.uniqueSerial = identity.uniqueSerial
    } else if (there.uniqueSerial != old.uniqueSerial) {
        // Set up anew meanwhile: the old key is another device's, to be revoked on the server.
        return
    }
    // Makes the old key worthless wherever else it was kept.
    agent.roll()
    old.deleteKey()
}

class HeartbeatWorker(context: Context, parameters: WorkerParameters) : CoroutineWorker(context, parameters) {
    override suspend fun doWork(): Result =
        try {
            val agent = (applicationContext as TicketApp).agent()
            if (agent.heartbeat() == Heartbeat.TRY_LATER) Result.retry() else Result.success()
        } catch (error: GatehandException) {
            // The agent could not be opened.
            if (error.isTemporary) Result.retry() else Result.success()
        }
}

fun example(): DeviceState {
    val gate = Gate(id = 1, name = "South gate", identifier = "south")
    val identity = Identity.Builder("https://pretix.eu").organizer("bigevents").deviceId(12).name("Lane 2").gate(gate).build()
    return DeviceState.Enrolled(identity)
}

// Stand-ins.

class Scan(val id: String, val json: String)

class Queue {
    fun add(scan: Scan) {}
}

class OldSettings(val server: String, key: String?, var uniqueSerial: String?) {
    var key = key
        private set

    fun deleteKey() {
        key = null
    }
}

fun personAgreesTo(origin: String): Boolean = origin.isNotEmpty()

fun show(words: String) {
    println(words)
}

class WorkerParameters

abstract class ListenableWorker(val applicationContext: Context) {
    enum class Result {
        SUCCESS,
        RETRY,
        ;

        companion object {
            fun success() = SUCCESS

            fun retry() = RETRY
        }
    }
}

abstract class CoroutineWorker(context: Context, val parameters: WorkerParameters) : ListenableWorker(context) {
    abstract suspend fun doWork(): Result
}
