"""Lines of JSON over a Unix socket, as both QEMU and its agent in the guest speak."""

import json
import socket
import time

from .waiting import TooLate


class JsonSocket:
    def __init__(self, path, seconds):
        end = time.monotonic() + seconds
        while True:
            self._socket = socket.socket(socket.AF_UNIX)
            try:
                self._socket.connect(str(path))
                break
            except OSError as error:
                self._socket.close()
                if time.monotonic() >= end:
                    raise TooLate(f"{path} takes no connection: {error}") from error
                time.sleep(0.02)
        self._rest = b""

    def send(self, message, before=b""):
        self._socket.settimeout(30)
        self._socket.sendall(before + json.dumps(message).encode() + b"\n")

    def receive(self, seconds):
        """The next message; TooLate if none comes."""
        end = time.monotonic() + seconds
        while b"\n" not in self._rest:
            left = end - time.monotonic()
            if left <= 0:
                raise TooLate(f"no message within {seconds:.1f} s")
            self._socket.settimeout(left)
            try:
                chunk = self._socket.recv(1 << 16)
            except TimeoutError:
                continue
            if not chunk:
                raise ConnectionError("the other side closed the connection")
            self._rest += chunk
        line, self._rest = self._rest.split(b"\n", 1)
        # The agent in the guest begins an answer to a synchronization with 0xFF.
        return json.loads(line.lstrip(b"\xff") or b"{}")

    def close(self):
        self._socket.close()
