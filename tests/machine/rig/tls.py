"""What stands before the server: TLS under an authority of the test's own."""

import contextlib
import pathlib
import socket
import ssl
import subprocess
import threading

NAME = "tickets.test"


class Authority:
    """Made once in a folder and kept there, for images trust it."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate, self._key = folder / "authority.pem", folder / "authority.key"
        if not self.certificate.exists():
            self._openssl(
                *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"),
                *("-subj", "/CN=Authority of the machine's test", "-keyout", self._key, "-out", self.certificate),
                *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
            )

    def certify(self, folder):
        """A certificate for the server, valid from now for a month."""
        certificate, key, request = folder / "server.pem", folder / "server.key", folder / "server.csr"
        extensions = folder / "server.ext"
        extensions.write_text(f"subjectAltName=DNS:{NAME}\nextendedKeyUsage=serverAuth\n")
        self._openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={NAME}"),
            *("-keyout", key, "-out", request),
        )
        self._openssl(
            *("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial"),
            *("-days", "30", "-extfile", extensions, "-out", certificate),
        )
        return certificate, key

    @staticmethod
    def _openssl(*arguments):
        command = ["openssl", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {done.stderr}")


class Front:
    """Ends TLS and passes on what is inside. It counts who tried, whether or not they trusted it."""

    def __init__(self, certificate, key, to, port=443):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", port))
        # Callers whose hello came, and of them those who believed the certificate.
        self.callers = self.believers = 0
        # Until it is set, what the server answers stays here.
        self.answers = threading.Event()
        self.answers.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller):
        self.callers += 1
        caller.settimeout(60)
        try:
            with self._context.wrap_socket(caller, server_side=True) as inside:
                # In TLS 1.3 a caller who does not believe says so after the handshake.
                first = inside.recv(1 << 16)
                if not first:
                    return
                self.believers += 1
                with socket.create_connection(("127.0.0.1", self._to), 10) as server:
                    server.settimeout(60)
                    server.sendall(first)
                    back = threading.Thread(target=self._pass, args=(server, inside, self.answers), daemon=True)
                    back.start()
                    self._pass(inside, server)
                    back.join(60)
        except (OSError, ssl.SSLError):
            pass

    @staticmethod
    def _pass(source, sink, allowed=None):
        with contextlib.suppress(OSError, ssl.SSLError):
            while chunk := source.recv(1 << 16):
                if allowed:
                    allowed.wait()
                sink.sendall(chunk)
        with contextlib.suppress(OSError, ssl.SSLError):
            (sink.unwrap if isinstance(sink, ssl.SSLSocket) else lambda: sink.shutdown(socket.SHUT_WR))()

    def close(self):
        # Closing alone leaves a thread in accept.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
