/**
 * Stand-ins for the few classes of androidx.test:monitor that Robolectric loads.
 *
 * <p>Google's repository alone serves the real ones, so only the Maven build uses these. They have
 * the names and signatures that Robolectric links to and do nothing that its tests could not do
 * without.
 */
package androidx.test;
