package io.gatehand.sample

/** Gives up soon, and can be ended and started again as Android does with processes. */
class RestartingApp : SampleApp() {
    private var currentAgent: SharedAgent? = null
    private var currentModel: DeviceModel? = null

    override val timeLimitMillis: Long = 4_000
    override val agent: SharedAgent get() = currentAgent ?: SharedAgent(::openAgent).also { currentAgent = it }
    override val model: DeviceModel get() = currentModel ?: makeModel().also { currentModel = it }

    fun end() {
        currentModel?.close()
        currentAgent?.close()
        currentModel = null
        currentAgent = null
    }

    override fun onTerminate() {
        end()
        super.onTerminate()
    }
}
