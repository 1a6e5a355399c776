package androidx.test.runner.lifecycle;

/** What Robolectric registers; nobody here asks it. */
public interface ActivityLifecycleMonitor {}
