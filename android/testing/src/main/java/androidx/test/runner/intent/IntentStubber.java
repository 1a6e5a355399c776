package androidx.test.runner.intent;

import android.app.Instrumentation.ActivityResult;
import android.content.Intent;

/** Would answer for other apps' activities; there is none. */
public interface IntentStubber {
    ActivityResult getActivityResultForIntent(Intent intent);
}
