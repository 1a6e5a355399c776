package io.gatehand

import java.io.ByteArrayInputStream
import java.security.cert.CertificateException
import java.security.cert.CertificateFactory

/**
 * Whom the device believes to be its server; see [AgentConfig.Builder.trust]. Certificates are taken in PEM or
 * DER form.
 */
public class Trust private constructor(
    internal val system: Boolean = false,
    internal val certificates: List<ByteArray> = emptyList(),
    internal val pinned: ByteArray? = null,
) {
    /** Makes them. */
    public companion object {
        /** Mozilla's list of authorities, as of the library's build, and nobody else. */
        @JvmStatic
        public fun builtIn(): Trust = Trust()

        /**
         * Besides the built-in ones the authorities that Android trusts, and those that a person or a management
         * has installed on the device, as they are when the agent is opened.
         */
        @JvmStatic
        public fun systemAndUser(): Trust = Trust(system = true)

        /**
         * Besides the built-in ones these authorities, as an organizer's own: 256 KiB at most.
         *
         * @throws IllegalArgumentException It is no certificate, or none that can be read.
         */
        @JvmStatic
        public fun certificates(certificates: ByteArray): Trust = Trust(certificates = read(certificates))

        /**
         * One server alone, by the very certificate that it shows, for servers that no authority has signed a
         * certificate for, as one at a numeric address. It has to prove that it has the certificate's key, but
         * who signed it, for which names and until when is not looked at: it is trusted until the app is given
         * another one, also when its server has got a new one.
         *
         * @throws IllegalArgumentException It is not one certificate, or none that can be read.
         */
        @JvmStatic
        public fun pinned(certificate: ByteArray): Trust {
            val read = read(certificate)
            require(read.size == 1) { "these are ${read.size} certificates: give the server's own alone" }
            return Trust(pinned = read.single())
        }

        private fun read(bytes: ByteArray): List<ByteArray> {
            val read = try {
                CertificateFactory.getInstance("X.509").generateCertificates(ByteArrayInputStream(bytes)).map { it.encoded }
            } catch (error: CertificateException) {
                throw IllegalArgumentException("the certificates can't be read: give them in PEM or DER form", error)
            }
            require(read.isNotEmpty()) { "there is no certificate in it: give it in PEM or DER form" }
            return read
        }
    }
}
