package io.gatehand.okhttp

import io.gatehand.testing.ApiDump
import java.io.File
import kotlin.test.Test

class ApiTest {
    @Test
    fun the_api_is_what_is_written_down() {
        val module = File(checkNotNull(System.getProperty("gatehand.project")) { "run by Maven" }, "android/okhttp")
        ApiDump.check(module.resolve("target/classes"), module.resolve("api/gatehand-okhttp.api"))
    }
}
