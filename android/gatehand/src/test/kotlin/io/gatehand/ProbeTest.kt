package io.gatehand
import kotlin.test.Test
import kotlin.test.assertEquals
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [21, 27, 35])
class ProbeTest {
  @Test fun runs() { println("SDK " + probe()); assertEquals(RuntimeEnvironment.getApiLevel(), probe()) }
}
