package androidx.test.platform.app;

import android.app.Instrumentation;
import android.os.Bundle;

/** Remembers the instrumentation that Robolectric makes for a test. */
public final class InstrumentationRegistry {
    private static volatile Instrumentation instrumentation;

    private InstrumentationRegistry() {}

    public static void registerInstance(Instrumentation made, Bundle arguments) {
        instrumentation = made;
    }

    public static Instrumentation getInstrumentation() {
        return instrumentation;
    }
}
