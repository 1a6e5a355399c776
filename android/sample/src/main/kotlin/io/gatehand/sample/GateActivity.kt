package io.gatehand.sample

import android.app.Activity
import android.content.Intent
import android.os.Build
import android.os.Bundle
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/** Shows the model's screen, and hands it what is scanned, opened and pressed. Keeps nothing itself. */
class GateActivity : Activity() {
    private val app get() = application as SampleApp
    private val model: DeviceModel get() = app.model
    private val scope = MainScope()
    private lateinit var view: ScreenView
    private val back by lazy { Back { model.back() } }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.screen)
        view = ScreenView(window.decorView, ::act)
        scope.launch {
            model.screen.collect { screen ->
                view.show(screen)
                handleBack(screen.leadsBack)
            }
        }
        // After a rotation this link was offered before, and maybe declined.
        if (savedInstanceState == null) {
            app.scanner.setUp()
            offer(intent)
        }
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        offer(intent)
    }

    override fun onResume() {
        super.onResume()
        app.scanner.start()
    }

    override fun onPause() {
        app.scanner.stop()
        super.onPause()
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    /** Android 13 and later are told beforehand, so that they can show where going back leads. */
    private fun handleBack(handles: Boolean) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) back.handle(this, handles)
    }

    @Deprecated("What replaces it needs Android 13.")
    override fun onBackPressed() {
        @Suppress("DEPRECATION")
        if (!model.back()) super.onBackPressed()
    }

    /** A link can come from any app, and is no more trusted than a scanned code. */
    private fun offer(intent: Intent) {
        val again = intent.flags and Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY != 0
        if (intent.action == Intent.ACTION_VIEW && !again) intent.dataString?.let(model::linked)
    }

    private fun act(action: Action) {
        if (action == Action.Submit) model.typed(view.server, view.token) else model.act(action)
    }
}
