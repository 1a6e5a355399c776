package io.gatehand.docs

import io.gatehand.Agent
import io.gatehand.okhttp.GatehandInterceptor
import okhttp3.OkHttpClient

/* The Kotlin of docs/ANDROID.md about OkHttp, for the compiler to look at; a test compares the two. */

fun clientOf(agent: Agent): OkHttpClient =
    OkHttpClient.Builder()
        .addInterceptor(GatehandInterceptor(agent))
        .build()
