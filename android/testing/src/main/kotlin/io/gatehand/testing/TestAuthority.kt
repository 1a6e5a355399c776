package io.gatehand.testing

import java.io.Closeable
import java.io.File
import java.io.IOException
import java.net.InetAddress
import java.net.Socket
import java.net.URI
import java.security.KeyStore
import java.security.cert.X509Certificate
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext

/** An authority with keys and certificates in a folder, made by the JDK's `keytool`. */
public class TestAuthority(private val folder: File, private val name: String = "Own Root") {
    private val store = File(folder, "$name.p12")

    init {
        make(store, "CN=$name", "-ext", "bc:c")
    }

    /** Its certificate. */
    public val certificate: X509Certificate get() = open(store).getCertificate(ALIAS) as X509Certificate

    /**
     * The encrypted front of the server at [server], with a certificate of this authority for [host], or one that is
     * [selfSigned] for it.
     */
    public fun front(server: String, host: String = "localhost", selfSigned: Boolean = false): Front {
        val own = File.createTempFile("front", ".p12", folder).apply { delete() }
        make(own, "CN=$host", "-ext", "SAN=dns:$host")
        if (!selfSigned) sign(own, host)
        return Front(URI(server), open(own))
    }

    private fun sign(own: File, host: String) {
        val request = File("$own.csr")
        val signed = File("$own.pem")
        keytool(own, "-certreq", "-file", request.path)
        keytool(store, "-gencert", "-infile", request.path, "-outfile", signed.path, "-rfc", "-ext", "SAN=dns:$host")
        val root = File("$own.root.pem")
        keytool(store, "-exportcert", "-rfc", "-file", root.path)
        val chain = File("$own.chain.pem").apply { writeText(signed.readText() + root.readText()) }
        keytool(own, "-importcert", "-noprompt", "-trustcacerts", "-file", chain.path)
    }

    private fun make(store: File, subject: String, vararg more: String) =
        keytool(store, "-genkeypair", "-keyalg", "EC", "-dname", subject, *more)

    private fun keytool(store: File, command: String, vararg arguments: String) {
        val program = File(System.getProperty("java.home"), "bin/keytool").path
        val options = arrayOf("-alias", ALIAS, "-keystore", store.path, "-storetype", "PKCS12", "-storepass", PASSWORD)
        val running = ProcessBuilder(program, command, *options, *arguments).redirectErrorStream(true).start()
        val said = running.inputStream.readBytes().decodeToString()
        check(running.waitFor() == 0) { said }
    }

    private fun open(file: File): KeyStore =
        KeyStore.getInstance("PKCS12").apply { file.inputStream().use { load(it, PASSWORD.toCharArray()) } }

    /** Ends TLS before a server. */
    public class Front internal constructor(private val server: URI, keys: KeyStore) : Closeable {
        private val listener = run {
            val managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm()).apply { init(keys, PASSWORD.toCharArray()) }
            val tls = SSLContext.getInstance("TLS").apply { init(managers.keyManagers, null, null) }
            tls.serverSocketFactory.createServerSocket(0, 0, InetAddress.getByName("127.0.0.1"))
        }

        /** What it shows. */
        public val certificate: X509Certificate = keys.getCertificate(ALIAS) as X509Certificate

        /** Where it listens. */
        public val port: Int get() = listener.localPort

        init {
            daemon {
                while (true) accept(listener.accept())
            }
        }

        private fun accept(client: Socket) {
            val back = Socket(server.host, server.port)
            daemon { pass(client, back) }
            daemon { pass(back, client) }
        }

        private fun pass(from: Socket, to: Socket) {
            try {
                from.getInputStream().copyTo(to.getOutputStream())
            } finally {
                from.close()
                to.close()
            }
        }

        private fun daemon(work: () -> Unit) {
            val quietly = Runnable {
                try {
                    work()
                } catch (_: IOException) {
                    // One side hung up, or it is closed.
                }
            }
            Thread(quietly).apply { isDaemon = true }.start()
        }

        override fun close(): Unit = listener.close()
    }

    private companion object {
        const val ALIAS = "own"
        const val PASSWORD = "of a test"
    }
}
