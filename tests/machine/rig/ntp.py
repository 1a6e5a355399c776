"""A time server for the machine, which is the only one that it can reach."""

import socket
import struct
import threading
import time

# Seconds between 1900, where NTP counts from, and 1970.
_FROM_1900 = 2_208_988_800


def _stamp(seconds):
    whole = int(seconds)
    return struct.pack("!II", (whole + _FROM_1900) & 0xFFFF_FFFF, int((seconds - whole) * (1 << 32)))


class TimeServer:
    """Answers while it is open; before and after that, whoever asks hears nothing."""

    def __init__(self, address="127.0.0.1", port=123):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._socket.settimeout(0.2)
        self._open = True
        self.answered = 0
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self):
        while self._open:
            try:
                asked, caller = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            except OSError:
                return
            if len(asked) < 48:
                continue
            now = time.time()
            # No leap second, version 4, a server's answer; of stratum 2, as of one that follows another.
            head = struct.pack("!BBbb", 0b00_100_100, 2, asked[2], -20)
            head += struct.pack("!II4s", 0, 1 << 8, b"\x7f\0\0\1")
            self._socket.sendto(head + _stamp(now) + asked[40:48] + _stamp(now) + _stamp(time.time()), caller)
            self.answered += 1

    def close(self):
        self._open = False
        self._thread.join(5)
        self._socket.close()
