"""Commands inside the machine, by QEMU's guest agent."""

import base64
import random
import time
from dataclasses import dataclass

from .json_socket import JsonSocket
from .waiting import TooLate, until


# What is written at once, in bytes.
_CHUNK = 1 << 20


class GuestError(AssertionError):
    """A command in the guest failed though it should not."""


@dataclass
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    def __str__(self):
        return f"status {self.status}\n{self.out}{self.err}"


class Guest:
    def __init__(self, path, slowness=1):
        self._socket = JsonSocket(path, 20)
        self._slowness = slowness

    def wait_until_it_answers(self, seconds):
        end = time.monotonic() + seconds
        while True:
            wanted = random.randrange(1 << 31)
            # The byte ends whatever was left of an earlier message.
            self._socket.send({"execute": "guest-sync-delimited", "arguments": {"id": wanted}}, b"\xff")
            try:
                # Answers to earlier ones may come first, all at once.
                while self._socket.receive(2 * self._slowness).get("return") != wanted:
                    pass
                return
            except TooLate:
                if time.monotonic() >= end:
                    raise TooLate(f"the guest's agent does not answer within {seconds:.0f} s") from None

    def _ask(self, command, seconds, **arguments):
        self._socket.send({"execute": command, "arguments": arguments})
        answer = self._socket.receive(seconds)
        if "error" in answer:
            raise GuestError(f"{command}: {answer['error']['desc']}")
        return answer["return"]

    def start(self, command, seconds=20):
        """Starts a shell command and returns its process id."""
        return self._ask(
            "guest-exec", seconds * self._slowness, path="/bin/sh", arg=["-c", command], **{"capture-output": True}
        )["pid"]

    def wait(self, process, seconds=60):
        def ended():
            answer = self._ask("guest-exec-status", 20 * self._slowness, pid=process)
            return answer if answer["exited"] else None

        answer = until(f"process {process} in the guest", ended, seconds * self._slowness, 0.03 if self._slowness == 1 else 0.2)
        text = {name: base64.b64decode(answer.get(f"{name}-data", "")).decode(errors="replace") for name in ("out", "err")}
        return Done(answer.get("exitcode", 128 + answer.get("signal", 0)), **text)

    def try_run(self, command, seconds=60):
        """How a shell command ended, whatever its status."""
        return self.wait(self.start(command), seconds)

    def run(self, command, seconds=60):
        """What a shell command wrote, which has to end well."""
        done = self.try_run(command, seconds)
        if done.status != 0:
            raise GuestError(f"{command}: {done}")
        return done.out

    def read(self, path):
        """What a file in the guest holds, 64 KiB at most. No process is started for it."""
        handle = self._ask("guest-file-open", 20 * self._slowness, path=path, mode="r")
        try:
            read = self._ask("guest-file-read", 20 * self._slowness, handle=handle, count=1 << 16)
        finally:
            self._ask("guest-file-close", 20 * self._slowness, handle=handle)
        return base64.b64decode(read["buf-b64"])

    def write(self, path, contents):
        """Puts a file into the guest."""
        handle = self._ask("guest-file-open", 20 * self._slowness, path=path, mode="w")
        for at in range(0, len(contents), _CHUNK):
            piece = base64.b64encode(contents[at : at + _CHUNK]).decode()
            self._ask("guest-file-write", 20 * self._slowness, handle=handle, **{"buf-b64": piece})
        self._ask("guest-file-close", 20 * self._slowness, handle=handle)

    def close(self):
        self._socket.close()
