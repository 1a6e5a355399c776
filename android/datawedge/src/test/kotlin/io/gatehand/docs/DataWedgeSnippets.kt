package io.gatehand.docs

import android.content.Context
import android.util.Log
import io.gatehand.datawedge.DataWedge
import io.gatehand.datawedge.DataWedgeListener
import io.gatehand.datawedge.SetUpOutcome

/* The Kotlin of docs/ANDROID.md about the scan engine, for the compiler to look at; a test compares the two. */

class Scanner(context: Context, private val read: (String) -> Unit) : DataWedgeListener {
    // To be called: setUp() when the app starts, start() in onResume, stop() in onPause.
    val dataWedge = DataWedge(context, this)

    override fun onScan(text: String) = read(text)

    override fun onSetUp(outcome: SetUpOutcome) {
        if (outcome.kind != SetUpOutcome.Kind.READY) Log.w("TicketApp", "$outcome")
    }
}
