package io.gatehand.fake;

import io.gatehand.Agent;
import io.gatehand.AgentListener;
import io.gatehand.ApiRequest;
import io.gatehand.BlockingAgent;
import io.gatehand.ConfirmedEnrolment;
import io.gatehand.DeviceState;
import io.gatehand.GatehandException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A test of an app in Java. */
final class JavaFake {
    private JavaFake() {}

    /** Lives a device's life, and returns the states that a listener was told of. */
    static List<String> live(FakeAgent fake, ConfirmedEnrolment enrolment)
            throws GatehandException, InterruptedException {
        List<String> states = new CopyOnWriteArrayList<>();
        CountDownLatch first = new CountDownLatch(1);
        CountDownLatch revoked = new CountDownLatch(1);
        AgentListener listener =
                new AgentListener() {
                    @Override
                    public void onState(DeviceState state) {
                        states.add(state.getClass().getSimpleName());
                        first.countDown();
                        if (state instanceof DeviceState.Revoked) {
                            revoked.countDown();
                        }
                    }
                };
        Agent agent = fake;
        agent.addListener(Runnable::run, listener);
        wait(first);
        BlockingAgent device = agent.blocking();
        device.initialize(enrolment);
        fake.setAnswers(request -> FakeAgent.json("{}"));
        if (!device.request(ApiRequest.get("/api/v1/version")).isSuccessful()) {
            throw new AssertionError("no answer");
        }
        device.revoke();
        wait(revoked);
        return states;
    }

    private static void wait(CountDownLatch latch) throws InterruptedException {
        if (!latch.await(1, TimeUnit.MINUTES)) {
            throw new AssertionError("the listener was told nothing");
        }
    }
}
