package io.gatehand.testing

import org.junit.runners.model.FrameworkMethod
import org.robolectric.RobolectricTestRunner
import org.robolectric.internal.bytecode.InstrumentationConfiguration

/**
 * Runs tests on the testing library instead of the shipped one, as those do that ask [Alive]. They have
 * sandboxes of their own, since no class loader gives up a library that it has loaded.
 */
class TestingLibraryRunner(test: Class<*>) : RobolectricTestRunner(test) {
    override fun createClassLoaderConfig(method: FrameworkMethod): InstrumentationConfiguration =
        InstrumentationConfiguration.Builder(super.createClassLoaderConfig(method))
            .doNotAcquireClass(TestingLibraryRunner::class.java)
            .build()
}
