"""Callers at work: each lives devices' lives through the front, every change with one key until it is acknowledged."""

import http.client
import json
import ssl
import threading
import time
from dataclasses import dataclass, field

from .cluster import ADDRESSES, NAME

ORGANIZER = "bigevents"
DEVICES = f"/api/v1/organizers/{ORGANIZER}/devices/"
_PAUSE = 0.2
_PATIENCE = 180
_FACTS = {"hardware_brand": "B", "hardware_model": "M", "os_name": "O", "os_version": "1", "software_brand": "S", "software_version": "1"}


@dataclass
class Answer:
    """One answer, or what came in place of one."""

    begun: float
    ended: float
    what: str
    status: int
    retry_after: str | None = None
    words: str = ""


@dataclass
class Device:
    """As its caller knows it last: what was acknowledged."""

    name: str
    number: int = 0
    key: str | None = None
    old_keys: list = field(default_factory=list)
    is_revoked: bool = False


class Way:
    """A connection that is kept, as programs do, and made anew when it has ended."""

    def __init__(self, address, port, certificate=None):
        self._to = (address, port)
        self._tls = ssl.create_default_context(cafile=certificate) if certificate else None
        self._connection = None

    def ask(self, method, path, authorization=None, body=None, key=None):
        headers = {"Host": NAME, "Content-Type": "application/json"}
        if authorization:
            headers["Authorization"] = authorization
        if key:
            headers["X-Idempotency-Key"] = key
        if self._connection is None:
            self._connection = _Connection(*self._to, self._tls)
        try:
            self._connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = self._connection.getresponse()
            text = answer.read().decode(errors="replace")
        except Exception:
            self.close()
            raise
        return answer.status, answer.headers.get("Retry-After"), text

    def close(self):
        if self._connection:
            self._connection.close()
        self._connection = None


class _Connection(http.client.HTTPConnection):
    def __init__(self, address, port, tls):
        super().__init__(address, port, timeout=100)
        self._tls = tls

    def connect(self):
        super().connect()
        if self._tls:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=NAME)


class Load:
    def __init__(self, cluster, token, callers):
        self._certificate, self._token = cluster.certificate, f"Token {token}"
        self.answers, self.devices, self.broken = [], [], []
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._live, args=(number,), daemon=True) for number in range(callers)]

    def begin(self):
        for thread in self._threads:
            thread.start()

    def end(self):
        """Once every caller has heard that its last change was made."""
        self._is_over.set()
        for thread in self._threads:
            thread.join(_PATIENCE + 60)

    # What is known of it, in seconds of the same clock.

    def since(self, begun=0.0):
        # A copy: callers go on.
        return [answer for answer in list(self.answers) if answer.ended >= begun]

    def changes(self, begun=0.0):
        return [answer for answer in self.since(begun) if answer.status in (200, 201, 204) and not answer.what.startswith("read")]

    # What a caller does.

    def _live(self, caller):
        way = Way(ADDRESSES["front"], 443, self._certificate)
        try:
            number = 0
            while not self._is_over.is_set():
                self._live_once(way, f"{caller}-{number}", number)
                number += 1
        except Exception as error:  # whatever it is, the test has to tell it
            self.broken.append(f"caller {caller}: {type(error).__name__}: {error}")
        finally:
            way.close()

    def _live_once(self, way, name, number):
        device = Device(name)
        made = self._done(way, "create", "POST", DEVICES, self._token, {"name": name, "all_events": True, "limit_events": []}, f"{name}-create")
        device.number = made["device_id"]
        self.devices.append(device)
        facts = _FACTS | {"token": made["initialization_token"]}
        identity = self._done(way, "initialize", "POST", "/api/v1/device/initialize", None, facts, f"{name}-init")
        device.key = identity["api_token"]
        assert identity["device_id"] == device.number, f"{name} is {identity['device_id']}, and was {device.number}"
        self._is(way, device, 200)
        path = f"{DEVICES}{device.number}/"
        self._done(way, "patch", "PATCH", path, self._token, {"name": f"{name} renamed"}, f"{name}-patch")
        device.name = f"{name} renamed"
        # Whoever has heard of a change sees it, whichever server is asked.
        seen = self._done(way, "read device", "GET", path, self._token)
        assert seen["name"] == device.name, f"{device.name} is shown as {seen['name']}"
        rolled = self._done(way, "roll", "POST", "/api/v1/device/roll", f"Device {device.key}", _FACTS, f"{name}-roll")
        device.old_keys.append(device.key)
        device.key = rolled["api_token"]
        self._is(way, device, 200)
        if number % 3 == 0:
            self._done(way, "revoke", "POST", "/api/v1/device/revoke", f"Device {device.key}", None, f"{name}-revoke")
            device.is_revoked = True
            self._is(way, device, 401, 403)

    def _is(self, way, device, *statuses):
        info = self._done(way, "read info", "GET", "/api/v1/device/info", f"Device {device.key}", statuses=statuses)
        if 200 in statuses:
            assert info["device"]["device_id"] == device.number, f"{device.name}: {info}"

    def _done(self, way, what, method, path, authorization, body=None, key=None, statuses=(200, 201)):
        """The answer to what is asked for until it is done."""
        begun = time.monotonic()
        while time.monotonic() - begun < _PATIENCE:
            asked = time.monotonic()
            try:
                status, retry_after, text = way.ask(method, path, authorization, body, key)
            except Exception as error:
                status, retry_after, text = 0, None, f"{type(error).__name__}: {error}"
            words = "" if status in statuses else text
            self.answers.append(Answer(asked, time.monotonic(), what, status, retry_after, words[:200]))
            if status in statuses:
                return json.loads(text) if text.strip() else {}
            if status not in (0, 409, 500, 502, 503, 504):
                raise AssertionError(f"{what}: {status} {text[:300]}")
            time.sleep(_PAUSE)
        raise AssertionError(f"{what} was not done within {_PATIENCE} s")
