package io.gatehand.okhttp

import io.gatehand.AgentConfig
import io.gatehand.ScannerAgent
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestLibrary
import okhttp3.Interceptor
import okhttp3.OkHttpClient
import org.robolectric.RuntimeEnvironment

/** An app whose client sets a key itself, and has the one line more that gives it the agent. */
internal class OldApp(change: OkHttpClient.Builder.() -> Unit = {}) : AutoCloseable {
    val agent: ScannerAgent

    init {
        TestLibrary.use()
        StandInKeystore.reset()
        agent = ScannerAgent.open(RuntimeEnvironment.getApplication(), AgentConfig.Builder("old app", "1.0").build())
    }

    val client: OkHttpClient = OkHttpClient.Builder()
        .addInterceptor(Interceptor { chain -> chain.proceed(chain.request().newBuilder().header("Authorization", "Device $DUMMY").build()) })
        .addInterceptor(GatehandInterceptor(agent))
        .apply(change)
        .build()

    override fun close() {
        client.dispatcher.executorService.shutdown()
        agent.close()
    }

    companion object {
        const val DUMMY = "dummy"
    }
}
