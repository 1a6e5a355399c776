package io.gatehand;

import android.content.Context;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;

/** What only Java can do: `null` where something is needed, by the name of the parameter. */
final class JavaNulls {
    private JavaNulls() {}

    static Map<String, Callable<?>> all(Context context, ScannerAgent agent) throws GatehandException {
        AgentConfig.Builder config = new AgentConfig.Builder("pretixSCAN", "2.3.1");
        ApiRequest.Builder request = new ApiRequest.Builder("POST", "/api/v1/x");
        Enrolment enrolment = Enrolment.of("https://pretix.eu", "kpp4jn8g2ynzonp6");
        BlockingAgent device = agent.blocking();
        Map<String, Callable<?>> all = new LinkedHashMap<>();
        all.put("appName", () -> new AgentConfig.Builder(null, "1"));
        all.put("appVersion", () -> new AgentConfig.Builder("a", null));
        all.put("name", () -> config.vaultName(null));
        all.put("unit", () -> config.timeLimit(1, null));
        all.put("context", () -> ScannerAgent.open(null, config.build()));
        all.put("config", () -> ScannerAgent.open(context, null));
        all.put("scannedText", () -> Enrolment.parse(null));
        all.put("server", () -> Enrolment.of(null, "kpp4jn8g2ynzonp6"));
        all.put("token", () -> Enrolment.of("https://pretix.eu", null));
        all.put("origin", () -> enrolment.confirmed(null));
        all.put("method", () -> new ApiRequest.Builder(null, "/"));
        all.put("path", () -> ApiRequest.get(null));
        all.put("body", () -> request.body(null));
        all.put("key", () -> request.idempotencyKey(null));
        all.put("text", () -> ApiBody.json(null));
        all.put("bytes", () -> ApiBody.bytes(null, "text/plain"));
        all.put("stream", () -> ApiBody.stream(null, "text/plain"));
        all.put("contentType", () -> ApiBody.bytes(new byte[0], null));
        all.put("event", () -> new EventSelection(null));
        all.put("enrolment", () -> device.initialize(null));
        all.put("existing", () -> device.adopt(null));
        all.put("request", () -> device.request(null));
        all.put("executor", () -> agent.addListener(null, new AgentListener() {}));
        all.put("listener", () -> agent.addListener(Runnable::run, null));
        return all;
    }
}
