"""The deployment of docs/SCALING.md, set up as it says there, and what it says of itself."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from contextlib import suppress

from . import layer, page
from .machine import Machine, lay_network
from .waiting import until

ADDRESSES = {"db1": "10.77.0.11", "db2": "10.77.0.12", "web1": "10.77.0.21", "web2": "10.77.0.22", "front": "10.77.0.31"}
CALLERS_ADDRESS = "10.77.0.1"
NAME = "tickets.example"
DATABASES, SERVERS = ("db1", "db2"), ("web1", "web2")


class Cluster:
    def __init__(self, folder):
        self.folder = folder
        lay_network(CALLERS_ADDRESS)
        self.machines = {name: Machine(name, address, folder) for name, address in ADDRESSES.items()}
        self.certificate = self._certify()

    def set_up(self):
        for machine in self.machines.values():
            machine.turn_on()
        for step in page.steps():
            self._do(step)
        self.at("web2").wait_for("gatehand-server")
        until("both servers", lambda: all(self._serves(name) for name in SERVERS), 60)
        self.synchronous(90)

    def at(self, name):
        return self.machines[name]

    # Setting up.

    def _certify(self):
        """What Let's Encrypt would give, by an authority that only the callers believe."""
        folder = self.at("front").file(f"/etc/letsencrypt/live/{NAME}")
        folder.mkdir(parents=True)
        certificate = folder / "fullchain.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={NAME}"]
        command += ["-keyout", folder / "privkey.pem", "-out", certificate, "-addext", f"subjectAltName=DNS:{NAME}"]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        return certificate

    def _do(self, step):
        match step:
            case page.File():
                for name in step.machines:
                    words = {"HOST": name, "ADDRESS": ADDRESSES[name], "VERSION": layer.postgresql_version()}
                    self.at(name).write(step.path, page.filled(step.text, **words))
            case page.Copy():
                source = self.at(step.machine).file(step.path)
                until(f"{step.path} on {step.machine}", source.exists, 60)
                to = self.at(step.to).file(step.to_path)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, to)
                for path, of in ((to, source), (to.parent, source.parent)):
                    if path is to or step.path == step.to_path:
                        os.chown(path, of.stat().st_uid, of.stat().st_gid)
            case page.Commands(machines=["all"]):
                pass  # The layer below all of them has the packages.
            case page.Commands(machines=[*names]):
                if names[-1] == "when it is replicated":
                    self.synchronous(120)
                    names.pop()
                names = [self.primary() if name == "the primary" else name for name in names]
                for name in names:
                    self.at(name).run(step.text)
                if "systemctl enable --now etcd" in step.text:
                    until("etcd", lambda: self.at("front").try_run("ETCDCTL_API=3 etcdctl --endpoints=http://front:2379 endpoint health", 20).returncode == 0, 60)

    def _serves(self, name):
        try:
            urllib.request.urlopen(f"http://{ADDRESSES[name]}:8345/api/v1/device/info", timeout=5).close()
        except urllib.error.HTTPError as refused:
            return refused.code == 401  # nobody asks with a key
        except OSError:
            return False

    def admin(self, *arguments):
        """What a command of administrators tells."""
        words = " ".join(f"'{word}'" for word in arguments)
        return json.loads(self.at("web1").run(f"gatehand-server admin {words} --json"))

    # What it is like.

    def members(self):
        """The PostgreSQLs as Patroni sees them, by their names; nothing where nobody tells."""
        for name in DATABASES:
            with suppress(OSError, ValueError):
                answer = urllib.request.urlopen(f"http://{ADDRESSES[name]}:8008/cluster", timeout=2)
                return {member["name"]: member for member in json.load(answer)["members"]}
        return {}

    def primary(self):
        return next((name for name, member in self.members().items() if member["role"] == "leader"), None)

    def _is_synchronous(self):
        members = self.members()
        roles = {member["role"]: name for name, member in members.items()}
        if set(roles) != {"leader", "sync_standby"} or members[roles["sync_standby"]].get("lag") != 0:
            return False
        return self.sql(roles["leader"], "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'") == "1"

    def synchronous(self, seconds=180):
        """Waits until the replica has all that is acknowledged, and will be waited for."""
        until("synchronous replication", self._is_synchronous, seconds, 0.5)

    def sql(self, name, sql, database="postgres"):
        """What a statement tells on a machine; nothing where it can't be asked."""
        command = f"cd /; timeout 5 runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d {database} -c \"{sql}\""
        done = self.at(name).try_run(command)
        return done.stdout.strip() if done.returncode == 0 else None

    def takes_writes(self, name):
        """Whether PostgreSQL on a machine is a primary now."""
        return self.sql(name, "SELECT pg_is_in_recovery()") == "f"

    def patronictl(self, words, seconds=120):
        machine = next(name for name in DATABASES if self.at(name).is_on())
        return self.at(machine).run(f"patronictl -c /etc/patroni/config.yml {words}", seconds)

    def keep_logs(self, folder):
        """What its programs said, beside the test's own log."""
        for name, machine in self.machines.items():
            kept = folder / name
            kept.mkdir(parents=True, exist_ok=True)
            for log in [*machine.file("/var/log").glob("*.said"), *machine.file("/var/log/nginx").glob("*.log")]:
                shutil.copy(log, kept)

    def turn_off(self):
        for machine in self.machines.values():
            if machine.is_on():
                machine.kill()
