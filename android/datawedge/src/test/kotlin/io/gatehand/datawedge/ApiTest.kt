package io.gatehand.datawedge

import io.gatehand.testing.ApiDump
import java.io.File
import kotlin.test.Test

class ApiTest {
    @Test
    fun the_api_is_what_is_written_down() {
        val module = File(checkNotNull(System.getProperty("gatehand.project")) { "run by Maven" }, "android/datawedge")
        ApiDump.check(module.resolve("target/classes"), module.resolve("api/gatehand-datawedge.api"))
    }
}
