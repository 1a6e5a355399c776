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

    /**
     * What fails can be caught where it fails: a class that nothing is declared to throw can't be. It is
     * caught as what code that calls a network catches anyhow.
     */
    static String told(Context context, AgentConfig config, Executor executor, String scanned) {
        try (ScannerAgent agent = ScannerAgent.open(context, config)) {
            try {
                return agent.status().toString();
            } catch (GatehandException failed) {
                return failed.getCode().getId();
            } finally {
                listen(agent, executor);
            }
        } catch (IOException failed) {
            return parsed(scanned) + typed(scanned);
        }
    }

    private static void listen(ScannerAgent agent, Executor executor) {
        try (Subscription listening = agent.addListener(executor, new Screen())) {
            assert listening != null;
        } catch (GatehandException failed) {
            System.err.println(failed.getCode());
        }
    }

    private static String parsed(String scanned) {
        try {
            return Enrolment.parse(scanned).getOrigin();
        } catch (EnrolmentCodeException failed) {
            return failed.getMessage();
        } catch (GatehandException failed) {
            return "";
        }
    }

    private static String typed(String token) {
        try {
            return Enrolment.of("https://pretix.eu", token).getOrigin();
        } catch (GatehandException failed) {
            return "";
        }
    }

    /** Each operation of its own, as one that declares nothing would hide behind another. */
    static int blocking(BlockingAgent device, ConfirmedEnrolment enrolment, ExistingIdentity old)
            throws InterruptedException {
        int failures = 0;
        try {
            device.initialize(enrolment);
        } catch (GatehandException failed) {
            failures++;
        }
        try {
            device.initialize(enrolment, true);
        } catch (GatehandException failed) {
            failures++;
        }
        try {
            device.adopt(old);
        } catch (GatehandException failed) {
            failures++;
        }
        try {
            device.refresh();
        } catch (GatehandException failed) {
            failures++;
        }
        try {
            device.roll();
        } catch (GatehandException failed) {
            failures++;
        }
        try {
            device.revoke();
        } catch (GatehandException failed) {
            failures++;
        }
        try {
            device.eventSelection();
        } catch (GatehandException failed) {
            failures++;
        }
        try {
            device.mediumKeySets();
        } catch (GatehandException failed) {
            failures++;
        }
        try {
            device.request(ApiRequest.get("/api/v1/version"));
        } catch (GatehandException failed) {
            failures++;
        }
        StreamedResponse answer;
        try {
            answer = device.stream(ApiRequest.get("/api/v1/version"));
        } catch (GatehandException failed) {
            return failures + 1;
        }
        try {
            answer.close();
        } catch (IOException failed) {
            failures++;
        }
        return failures;
    }

    private static final class Screen implements AgentListener {
        @Override
        public void onState(DeviceState state) {
            System.out.println(state);
        }
    }
}
