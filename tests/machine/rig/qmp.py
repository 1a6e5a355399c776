"""QEMU's own control connection."""

import time

from .json_socket import JsonSocket
from .waiting import TooLate


class QmpError(Exception):
    """QEMU refused a command."""


class Qmp:
    def __init__(self, path, seconds=20):
        self._socket = JsonSocket(path, seconds)
        self._socket.receive(seconds)  # its greeting
        self.events = []
        self.execute("qmp_capabilities")

    def execute(self, command, seconds=20, **arguments):
        self._socket.send({"execute": command, "arguments": arguments})
        end = time.monotonic() + seconds
        while True:
            message = self._socket.receive(max(end - time.monotonic(), 0.01))
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise QmpError(f"{command}: {message['error']['desc']}")
            else:
                return message.get("return")

    def wait_event(self, name, seconds):
        """The next event of this name that was not waited for yet."""
        end = time.monotonic() + seconds
        while True:
            for event in self.events:
                if event["event"] == name:
                    self.events.remove(event)
                    return event
            left = end - time.monotonic()
            if left <= 0:
                raise TooLate(f"no event {name} within {seconds:.0f} s")
            message = self._socket.receive(left)
            if "event" in message:
                self.events.append(message)

    def close(self):
        self._socket.close()
