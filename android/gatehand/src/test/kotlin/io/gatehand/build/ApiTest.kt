package io.gatehand.build

import io.gatehand.testing.ApiDump
import kotlin.test.Test

class ApiTest {
    @Test
    fun the_api_is_what_is_written_down() {
        ApiDump.check(Project.root.resolve("android/gatehand/target/classes"), Project.root.resolve("android/gatehand/api/gatehand.api"))
    }
}
