package io.gatehand.okhttp

import com.sun.net.httpserver.HttpServer
import java.net.InetAddress
import java.net.InetSocketAddress
import java.util.concurrent.LinkedBlockingQueue
import org.junit.rules.ExternalResource

/** A server that the device is none of, which notes with what authorization it is asked. */
class OtherServer : ExternalResource() {
    private lateinit var server: HttpServer

    /** The values of `Authorization` so far; empty for none. */
    val asked = LinkedBlockingQueue<String>()

    val address: String get() = "http://127.0.0.1:${server.address.port}"

    override fun before() {
        server = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)
        server.createContext("/") { exchange ->
            asked.add(exchange.requestHeaders.getFirst("Authorization").orEmpty())
            exchange.sendResponseHeaders(200, -1)
            exchange.close()
        }
        server.start()
    }

    override fun after() {
        server.stop(0)
    }
}
