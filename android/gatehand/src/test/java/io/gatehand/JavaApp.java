package io.gatehand;

import android.content.Context;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** An app in Java: that this compiles, without casts and without a word of Kotlin, is the test. */
final class JavaApp {
    private JavaApp() {}

    static String work(Context context, Executor executor, String scanned, InputStream file)
            throws GatehandException, InterruptedException, IOException {
        AgentConfig config =
                new AgentConfig.Builder("pretixSCAN", "2.3.1")
                        .vaultName("lane-1")
                        .timeLimit(30, TimeUnit.SECONDS)
                        .build();
        try (ScannerAgent agent = ScannerAgent.open(context, config);
                Subscription listening = agent.addListener(executor, new Screen())) {
            assert listening != null;
            BlockingAgent device = agent.blocking();
            if (agent.status() instanceof DeviceState.NotEnrolled) {
                Enrolment enrolment = Enrolment.parse(scanned);
                Identity identity = device.initialize(enrolment.confirmed(enrolment.getOrigin()));
                assert identity.getDeviceId() > 0;
            }
            device.adopt(new ExistingIdentity("https://pretix.eu", "key"));
            ApiRequest upload =
                    new ApiRequest.Builder("POST", "/api/v1/upload")
                            .body(ApiBody.stream(file, "image/png"))
                            .idempotencyKey("once")
                            .build();
            ApiResponse response = device.request(upload);
            EventSuggestion suggestion = device.eventSelection(new EventSelection("museum"));
            try (StreamedResponse orders = device.stream(ApiRequest.get("/api/v1/orders/"))) {
                assert orders.getBody().read() >= -1;
            }
            if (suggestion instanceof EventSuggestion.Switch) {
                return ((EventSuggestion.Switch) suggestion).getSelection().getEvent();
            }
            return device.heartbeat() == Heartbeat.DONE ? response.text() : "";
        } catch (RefusedException refused) {
            return refused.getCode().getId() + refused.getStatus();
        }
    }

    /** Without an exception to catch. */
    static void listen(ScannerAgent agent, Executor executor) {
        try (Subscription listening = agent.addListener(executor, new Screen())) {
            assert listening != null;
        }
    }

    private static final class Screen implements AgentListener {
        @Override
        public void onState(DeviceState state) {
            System.out.println(state);
        }
    }
}
