package io.gatehand.life

import android.app.Application
import android.content.Intent
import android.net.Proxy.PROXY_CHANGE_ACTION
import io.gatehand.ApiRequest
import io.gatehand.ConnectionException
import io.gatehand.Enrolment
import io.gatehand.ErrorCode
import io.gatehand.ScannerAgent
import io.gatehand.Trust
import io.gatehand.testing.StandInKeystore
import io.gatehand.testing.TestAuthority
import io.gatehand.testing.TestServer
import java.io.Closeable
import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.Proxy
import java.net.ProxySelector
import java.net.ServerSocket
import java.net.Socket
import java.net.SocketAddress
import java.net.URI
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.TimeUnit
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Before
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** The proxy that is set for a Wi-Fi. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [21, 27])
class NetworkProxyTest {
    @get:Rule
    val folder = TemporaryFolder()

    @get:Rule
    val server = TestServer()

    private val before: ProxySelector? = ProxySelector.getDefault()
    private val call = ApiRequest.get("/api/v1/device/info")
    private val selector = Selector()

    @Before
    fun select() {
        StandInKeystore.reset()
        ProxySelector.setDefault(selector)
    }

    @After
    fun restore(): Unit = ProxySelector.setDefault(before)

    /** As Android's: it says at each time what is set then. */
    private class Selector : ProxySelector() {
        var proxies = listOf(Proxy.NO_PROXY)
        val asked = CopyOnWriteArrayList<URI>()

        override fun select(uri: URI): List<Proxy> {
            // As the JDK asks for its own sockets.
            if (uri.scheme == "socket") return listOf(Proxy.NO_PROXY)
            asked.add(uri)
            return proxies
        }

        override fun connectFailed(uri: URI, address: SocketAddress, error: IOException) {}
    }

    /** Connects everyone to [port], whatever they ask for. */
    private class ConnectProxy(private val port: Int) : Closeable {
        private val listener = ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))
        val asked = CopyOnWriteArrayList<String>()
        val proxy = Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved("127.0.0.1", listener.localPort))

        init {
            daemon { while (true) connect(listener.accept()) }
        }

        private fun connect(client: Socket) = daemon {
            val input = client.getInputStream()
            val head = StringBuilder()
            while (!head.endsWith("\r\n\r\n")) head.append(input.read().also { if (it < 0) throw IOException() }.toChar())
            asked.add(head.lines().first())
            client.getOutputStream().write("HTTP/1.1 200 Connected\r\n\r\n".encodeToByteArray())
            val server = Socket("127.0.0.1", port)
            daemon { input.copyTo(server.getOutputStream()) }
            server.use { it.getInputStream().copyTo(client.getOutputStream()) }
            client.close()
        }

        private fun daemon(work: () -> Unit) {
            val quietly = Runnable {
                try {
                    work()
                } catch (_: IOException) {
                    // Somebody hung up.
                }
            }
            Thread(quietly).apply { isDaemon = true }.start()
        }

        override fun close(): Unit = listener.close()
    }

    private fun set(vararg proxies: Proxy, isTold: Boolean = true) {
        selector.proxies = proxies.toList()
        if (!isTold) return
        val context: Application = RuntimeEnvironment.getApplication()
        context.sendBroadcast(Intent(PROXY_CHANGE_ACTION))
        shadowOf(context.mainLooper).idle()
    }

    private suspend fun ScannerAgent.enrolElsewhere() {
        val enrolment = Enrolment.of("https://$ELSEWHERE", server.createDevice().token)
        initialize(enrolment.confirmed(enrolment.origin))
    }

    @Test
    fun is_used_from_the_enrolment_on_and_exchanged_when_android_tells_so(): Unit = runBlocking {
        val authority = TestAuthority(folder.root)
        authority.front(server.address, ELSEWHERE).use { front ->
            val first = ConnectProxy(front.port)
            val second = ConnectProxy(front.port)
            Devices.open { timeLimit(10, TimeUnit.SECONDS).trust(Trust.certificates(authority.certificate.encoded)) }.use { agent ->
                set(first.proxy)
                agent.enrolElsewhere()
                assertEquals("CONNECT $ELSEWHERE:443 HTTP/1.1", first.asked.first())
                assertEquals(200, agent.request(call).status)
                val asked = selector.asked.size
                repeat(3) { agent.request(call) }
                assertEquals(asked, selector.asked.size, "it is not asked with each call")

                set(second.proxy)
                val connections = first.asked.size
                assertEquals(200, agent.request(call).status)
                assertEquals(listOf(connections, 1), listOf(first.asked.size, second.asked.size))

                set(Proxy.NO_PROXY)
                val error = assertFailsWith<ConnectionException> { agent.request(call) }
                assertTrue("proxy" !in error.message, error.message)
            }
            assertTrue(selector.asked.all { it == URI("https://$ELSEWHERE") || it == URI("https://$ELSEWHERE/") }, "${selector.asked}")
            first.close()
            second.close()
        }
    }

    @Test
    fun of_another_kind_is_told_and_one_that_can_be_used_is_taken_beside_it(): Unit = runBlocking {
        val socks = Proxy(Proxy.Type.SOCKS, InetSocketAddress.createUnresolved("127.0.0.1", 1080))
        val authority = TestAuthority(folder.root)
        authority.front(server.address, ELSEWHERE).use { front ->
            ConnectProxy(front.port).use { proxy ->
                Devices.open { timeLimit(10, TimeUnit.SECONDS).trust(Trust.certificates(authority.certificate.encoded)) }.use { agent ->
                    set(socks)
                    val error = assertFailsWith<ConnectionException> { agent.enrolElsewhere() }
                    assertEquals(ErrorCode.UNREACHABLE, error.code)
                    assertTrue("SOCKS" in error.message, error.message)
                    set(socks, proxy.proxy)
                    agent.enrolElsewhere()
                    assertEquals(1, proxy.asked.size)
                }
            }
        }
    }

    private companion object {
        /** A name that nobody has. */
        const val ELSEWHERE = "gatehand.invalid"
    }
}
