"""The server at which the machine enrols: the real one, on loopback, behind TLS."""

import json
import subprocess
from dataclasses import dataclass

from .process import Process
from .tls import NAME, Front
from .waiting import until

ORGANIZER = "bigevents"
URL = f"https://{NAME}"
_PORT = 8345


@dataclass
class Code:
    """What a kiosk is enrolled with, and whom that makes it."""

    device_id: int
    serial: str
    token: str
    payload: str
    link: str


class Server:
    def __init__(self, program, folder, authority):
        self._program, self._folder = program, folder
        self._database = folder / "server.db"
        self._process = Process(
            [program, "serve", "--database", self._database, "--listen", f"127.0.0.1:{_PORT}", "--public-url", URL],
            folder / "server.log",
        )
        self.front = Front(*authority.certify(folder), _PORT)
        until("the server's database", lambda: self._process.check() or self._answers(), 60)
        self._admin("organizer", "create", ORGANIZER, "--name", "Big Events")
        self._admin("event", "create", ORGANIZER, "museum", "--name", "Museum night", "--from", "2027-05-08")

    def _answers(self):
        return self._database.exists() and self._try_admin("organizer", "list").returncode == 0

    def _try_admin(self, *arguments):
        command = [self._program, "admin", *arguments, "--database", self._database, "--json"]
        return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)

    def _admin(self, *arguments):
        done = self._try_admin(*arguments)
        if done.returncode != 0:
            raise AssertionError(f"admin {' '.join(arguments)}: {done.stderr}")
        return json.loads(done.stdout)

    def gate(self, identifier, name):
        self._admin("gate", "create", ORGANIZER, identifier, "--name", name)

    def code(self, name, gate=None):
        """Creates a device, and what it is enrolled with."""
        at = ["--gate", gate] if gate else []
        created = self._admin("device", "create", ORGANIZER, "--name", name, "--all-events", "--public-url", URL, *at)
        payload = created["payload"]
        return Code(
            created["device_id"],
            created["unique_serial"],
            created["initialization_token"],
            payload if isinstance(payload, str) else json.dumps(payload),
            created["link"],
        )

    def devices(self):
        """All devices by their number."""
        return {device["device_id"]: device for device in self._admin("device", "list", ORGANIZER)}

    def log_of(self, device_id):
        """What was done to a device."""
        return self._admin("device", "log", ORGANIZER, str(device_id))

    def close(self):
        self.front.close()
        self._process.stop()
