package io.gatehand;

import android.content.Context;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** A device's life, lived by an app in Java. */
final class JavaLife implements AgentListener {
    final List<DeviceState> states = new CopyOnWriteArrayList<>();
    final List<AgentEvent> events = new CopyOnWriteArrayList<>();
    private final CountDownLatch revoked = new CountDownLatch(1);

    /** Enrols with what was scanned, works, and ends with its access given up. */
    String live(Context context, String scanned) throws GatehandException, InterruptedException, IOException {
        AgentConfig config = new AgentConfig.Builder("pretixSCAN", "2.3.1").build();
        ExecutorService screen = Executors.newSingleThreadExecutor();
        try (ScannerAgent agent = ScannerAgent.open(context, config);
                Subscription listening = agent.addListener(screen, this)) {
            assert listening != null;
            BlockingAgent device = agent.blocking();
            Enrolment enrolment = Enrolment.parse(scanned);
            Identity identity = device.initialize(enrolment.confirmed(enrolment.getOrigin()));
            if (!device.request(ApiRequest.get("/api/v1/device/info")).isSuccessful()) {
                throw new IOException("no information");
            }
            String info;
            try (StreamedResponse answer = device.stream(ApiRequest.get("/api/v1/device/info"))) {
                info = new String(answer.getBody().readAllBytes(), "UTF-8");
            }
            device.refresh();
            device.eventSelection();
            device.mediumKeySets();
            device.roll();
            if (device.heartbeat() != Heartbeat.DONE) {
                throw new IOException("no heartbeat");
            }
            device.revoke();
            if (!revoked.await(1, TimeUnit.MINUTES)) {
                throw new IOException("nobody said that the device was revoked");
            }
            return identity.getName() + info;
        } finally {
            screen.shutdown();
        }
    }

    @Override
    public void onState(DeviceState state) {
        states.add(state);
        if (state instanceof DeviceState.Revoked) {
            revoked.countDown();
        }
    }

    @Override
    public void onEvent(AgentEvent event) {
        events.add(event);
    }
}
