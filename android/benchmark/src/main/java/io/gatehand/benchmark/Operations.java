package io.gatehand.benchmark;

import io.gatehand.ApiResponse;
import io.gatehand.DeviceState;
import io.gatehand.GatehandException;
import io.gatehand.internal.Native;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Threads;

/** What is measured. In Java, since JMH generates code from it as it is compiled. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Operations {
    static final int MANY = 64;

    /** Its answer is known without looking at anything but the thread. */
    @Benchmark
    public void leastNativeCall() {
        Native.checkMayWait();
    }

    @Benchmark
    public DeviceState status() throws GatehandException {
        return Device.getAgent().status();
    }

    @Benchmark
    public String keyInJava() throws GeneralSecurityException {
        return Device.getKeyInJava().read();
    }

    @Benchmark
    public byte[] okHttpBlocking() throws IOException {
        return Device.callWithOkHttp();
    }

    @Benchmark
    public ApiResponse requestBlocking() throws GatehandException, InterruptedException {
        return Device.getAgent().blocking().request(Device.getRequest());
    }

    @Benchmark
    public byte[] intercepted() throws IOException {
        return Device.callIntercepted();
    }

    @Benchmark
    @OperationsPerInvocation(MANY)
    public int okHttpSuspending() {
        return Device.okHttpInCoroutines(1, MANY);
    }

    @Benchmark
    @OperationsPerInvocation(MANY)
    public int requestSuspending() {
        return Device.requestInCoroutines(1, MANY);
    }

    @Benchmark
    @Threads(Device.ATONCE)
    public byte[] okHttpBlockingAtOnce() throws IOException {
        return Device.callWithOkHttp();
    }

    @Benchmark
    @Threads(Device.ATONCE)
    public ApiResponse requestBlockingAtOnce() throws GatehandException, InterruptedException {
        return Device.getAgent().blocking().request(Device.getRequest());
    }

    @Benchmark
    @OperationsPerInvocation(MANY)
    public int okHttpSuspendingAtOnce() {
        return Device.okHttpInCoroutines(Device.ATONCE, MANY / Device.ATONCE);
    }

    @Benchmark
    @OperationsPerInvocation(MANY)
    public int requestSuspendingAtOnce() {
        return Device.requestInCoroutines(Device.ATONCE, MANY / Device.ATONCE);
    }
}
