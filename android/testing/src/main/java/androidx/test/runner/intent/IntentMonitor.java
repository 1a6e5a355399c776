package androidx.test.runner.intent;

/** What Robolectric registers; nobody here asks it. */
public interface IntentMonitor {}
