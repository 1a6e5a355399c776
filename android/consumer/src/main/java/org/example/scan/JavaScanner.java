package org.example.scan;

import android.content.Context;
import io.gatehand.Agent;
import io.gatehand.GatehandException;
import io.gatehand.datawedge.DataWedge;
import io.gatehand.datawedge.DataWedgeListener;
import io.gatehand.datawedge.SetUpOutcome;
import io.gatehand.okhttp.GatehandInterceptor;
import java.io.IOException;
import java.util.function.Consumer;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

/** An app in Java, built on OkHttp, on a handheld with a scan engine. */
public final class JavaScanner {
    private final OkHttpClient client;

    public JavaScanner(Agent agent) {
        client = new OkHttpClient.Builder().addInterceptor(new GatehandInterceptor(agent)).build();
    }

    /** What the server says, or why it says nothing. */
    public String ask(String url) throws IOException {
        Request request = new Request.Builder().url(url).header("Authorization", "Device none").build();
        try (Response response = client.newCall(request).execute()) {
            return response.body().string();
        } catch (GatehandException error) {
            return error.getCode().getId();
        }
    }

    public static DataWedge engine(Context context, Consumer<String> read) {
        return new DataWedge(
                context,
                new DataWedgeListener() {
                    @Override
                    public void onScan(String text) {
                        read.accept(text);
                    }

                    @Override
                    public void onSetUp(SetUpOutcome outcome) {
                        if (outcome.getKind() != SetUpOutcome.Kind.READY) {
                            read.accept(outcome.toString());
                        }
                    }
                });
    }
}
