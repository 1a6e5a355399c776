package androidx.test.runner.intent;

/** Says that no activity's result is made up. */
public final class IntentStubberRegistry {
    private IntentStubberRegistry() {}

    public static boolean isLoaded() {
        return false;
    }

    public static IntentStubber getInstance() {
        throw new IllegalStateException("no intent stubber is loaded");
    }
}
