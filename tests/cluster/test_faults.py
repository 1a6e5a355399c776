"""One fault at a time, under load: nothing acknowledged is lost, nothing is done twice, and all is as before."""

import json
import os
import pathlib
import shutil
import tempfile
import time
import unittest
from collections import Counter

from rig import report
from rig.cluster import ADDRESSES, DATABASES, SERVERS, Cluster
from rig.load import DEVICES, ORGANIZER, Load, Way
from rig.waiting import until

_CALLERS = int(os.environ.get("GATEHAND_CLUSTER_CALLERS", "12"))
# How long a server may wait for what does not answer, after another PostgreSQL takes writes: see src/server/store/postgres.
_SERVERS_PATIENCE = 20
_DONE = (200, 201)


class Faults(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        kept = pathlib.Path(os.environ["GATEHAND_CLUSTER_FOLDER"])
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=kept))
        begun = time.monotonic()
        self.cluster = Cluster(self.folder)
        self.addCleanup(self._tidy, kept / "logs")
        self.cluster.set_up()
        report.say(f"set up in {time.monotonic() - begun:.0f} s")
        admin = self.cluster.admin
        admin("organizer", "create", ORGANIZER, "--name", "Big Events")
        admin("team", "create", ORGANIZER, "desk", "--permission", "all")
        self.token = admin("token", "create", ORGANIZER, "desk")["token"]
        self.load = Load(self.cluster, self.token, _CALLERS)

    def _tidy(self, logs):
        self.cluster.keep_logs(logs)
        self.cluster.turn_off()
        shutil.rmtree(self.folder)

    def test_whatever_fails_nothing_acknowledged_is_lost_or_done_twice(self):
        cluster, at = self.cluster, self.cluster.at
        self.load.begin()
        self.goes_on(200)
        begun = time.monotonic()
        time.sleep(10)  # a figure, nothing is waited for
        seconds = time.monotonic() - begun
        report.say(f"{_CALLERS} callers: {len(self.load.since(begun)) / seconds:.0f} answers a second, {len(self.load.changes(begun)) / seconds:.0f} of them to changes")

        primary = cluster.primary()
        self.fault("PostgreSQL of the primary killed", lambda: at(primary).kill_program("postgres"), is_out=True)

        primary = cluster.primary()
        self.fault("the primary's machine killed", at(primary).kill, lambda: self.turn_on(primary, "etcd patroni"), promotes=self.other(primary))

        self.fault("a server killed", lambda: at("web1").kill_program("gatehand-server"), lambda: at("web1").run("systemctl restart gatehand-server"))

        self.fault("a server's machine killed", at("web2").kill, lambda: self.turn_on("web2", "gatehand-server"))

        paused = cluster.primary()
        self.fault("the primary's machine paused (SIGSTOP)", at(paused).pause, at(paused).resume, promotes=self.other(paused))

        cut = cluster.primary()
        self.fault("the primary cut off from all", at(cut).leave, at(cut).join, promotes=self.other(cut))

        reached = at(cluster.primary())
        self.fault("a server cut off from the primary alone", lambda: at("web1").lose(reached), lambda: at("web1").find(reached))

        replica = self.other(cluster.primary())
        self.fault("the replica's machine killed", at(replica).kill, lambda: self.turn_on(replica, "etcd patroni"), is_out=True)

        leader = cluster.primary()
        switch = f"switchover gatehand --master {leader} --candidate {self.other(leader)} --force"
        self.fault("a switchover that is wanted", lambda: cluster.patronictl(switch), promotes=self.other(leader))

        self.load.end()
        self.check_all()

    @staticmethod
    def other(name):
        return next(other for other in DATABASES if other != name)

    def turn_on(self, name, units):
        self.cluster.at(name).turn_on()
        self.cluster.at(name).run(f"systemctl start {units}")

    def goes_on(self, changes, seconds=120):
        """Waits until so many more changes are acknowledged that were begun from now on."""
        begun = time.monotonic()

        def are_made():
            self.assertEqual(self.load.broken, [])
            return sum(answer.begun >= begun for answer in self.load.changes(begun)) >= changes

        until(f"{changes} changes", are_made, seconds)

    def fault(self, name, strike, mend=None, promotes=None, is_out=False):
        """Lets it happen, waits until all is as before, and holds all answers meanwhile to what may be answered."""
        self.cluster.synchronous()
        begun = time.monotonic()
        strike()
        back = None
        if promotes:
            until(f"{promotes} as the primary", lambda: self.cluster.takes_writes(promotes), 120)
            back = time.monotonic()
        self.goes_on(100)
        if mend:
            mend()
        self.cluster.synchronous()
        whole = time.monotonic() - begun
        self.goes_on(100)

        answers = self.load.since(begun)
        changes = sorted(answer.ended for answer in self.load.changes(begun))
        gaps = [(after - before, after) for before, after in zip([begun, *changes], changes)]
        gap, gap_end = max(gaps)
        unavailable = [answer for answer in answers if answer.status == 503]
        longest = max(answer.ended - answer.begun for answer in answers)
        promoted = f"{promotes} took writes after {back - begun:.1f} s, " if promotes else ""
        last = f", the last after {max(answer.ended for answer in unavailable) - begun:.1f} s" if unavailable else ""
        report.say(
            f"{name}: {promoted}no change for {gap:.1f} s, {len(unavailable)} times 503{last}; "
            f"slowest answer {longest:.1f} s; replicated again after {whole:.0f} s"
        )
        others = [answer for answer in answers if answer.status not in (*_DONE, 401, 403, 409, 503)]
        self.assertEqual([(answer.what, answer.status, answer.words) for answer in others], [], name)
        self.assertEqual([answer for answer in answers if answer.status in (409, 503) and not answer.retry_after], [], name)
        if not promotes and not is_out:
            self.assertEqual([(answer.what, answer.words) for answer in unavailable], [], f"{name}: there is another server")
        end = max(back or 0, gap_end) + _SERVERS_PATIENCE
        late = [(answer.what, answer.ended - begun) for answer in unavailable if answer.ended > end]
        self.assertEqual(late, [], f"{name}: 503 when it was over")

    def check_all(self):
        """What servers and databases say to what was acknowledged."""
        load, cluster = self.load, self.cluster
        self.assertEqual(load.broken, [])
        devices = sorted(load.devices, key=lambda device: device.number)
        count = len(devices)
        self.assertEqual([device.number for device in devices], list(range(1, count + 1)), "each is made once, and none is lost")
        for server in SERVERS:
            way = Way(ADDRESSES[server], 8345)
            shown = {device["device_id"]: device for device in self.pages(way)}
            for device in devices:
                one = shown.pop(device.number)
                self.assertEqual((one["name"], one["revoked"]), (device.name, device.is_revoked), server)
                for key in [*device.old_keys, device.key]:
                    works = way.ask("GET", "/api/v1/device/info", f"Device {key}")[0] == 200
                    self.assertEqual(works, key == device.key and not device.is_revoked, f"{device.name} at {server}")
            self.assertEqual(shown, {}, server)
            way.close()
        primary = cluster.primary()
        logged = dict.fromkeys(("created", "initialized", "changed", "key rolled"), count)
        logged["revoked"] = sum(device.is_revoked for device in devices)
        told = cluster.sql(primary, "SELECT json_object_agg(action, n) FROM (SELECT action, count(*) AS n, count(DISTINCT device) AS d FROM log_entry GROUP BY action HAVING count(*) = count(DISTINCT device)) AS f", "gatehand")
        self.assertEqual(json.loads(told), logged, "each is logged once")
        cluster.synchronous()
        sums = [cluster.sql(name, "SELECT md5(string_agg(d::text, '' ORDER BY d::text)) FROM device AS d", "gatehand") for name in DATABASES]
        self.assertEqual(sums[0], sums[1], "both databases have the same")
        self.assertTrue(sums[0])
        size = int(cluster.sql(primary, "SELECT pg_database_size('gatehand')"))
        report.say(f"the database has {size / 2**20:.0f} MiB")
        statuses = Counter(answer.status for answer in load.answers)
        report.say(f"{count} devices, {len(load.changes())} changes acknowledged, each there once; answers: " + ", ".join(f"{n} times {status}" for status, n in sorted(statuses.items())))

    def pages(self, way):
        path = DEVICES
        while path:
            status, _, text = way.ask("GET", path, f"Token {self.token}")
            self.assertEqual(status, 200, text)
            page = json.loads(text)
            yield from page["results"]
            path = page["next"] and DEVICES + "?" + page["next"].split("?", 1)[1]
