package io.gatehand.internal;

/** Loads the handheld's library into a JVM and prints its version. Run with the library's path. */
final class Native {
    static native String version();

    public static void main(String[] arguments) {
        System.load(arguments[0]);
        System.out.println(version());
    }
}
