"""A machine: namespaces of network, processes and files, which end as one when it is killed."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

from . import layer
from .waiting import until

BRIDGE = "cluster"
# What outlives a machine's end, on a real disk.
_KEPT = ("var/lib/postgresql", "var/lib/etcd")
# Its first process ends those that nobody waits for, and has nothing else to do.
_FIRST = "import os, signal\nsignal.signal(signal.SIGCHLD, lambda *_: None)\nprint('up', flush=True)\nwhile True:\n try: os.wait()\n except ChildProcessError: signal.pause()\n"


def lay_network(address):
    """A switch for all machines, with an address for who calls them."""
    ip("link", "set", "lo", "up")
    # Without an address of its own a bridge takes that of a port, and another one when that is pulled.
    ip("link", "add", BRIDGE, "address", "02:00:00:00:77:01", "type", "bridge")
    ip("address", "add", f"{address}/24", "dev", BRIDGE)
    ip("link", "set", BRIDGE, "up")


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def _signal(processes, number):
    for process in processes:
        # It may have ended by itself.
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


class Machine:
    def __init__(self, name, address, folder):
        self.name, self.address = name, address
        self.root = layer.machine(name)
        for path in _KEPT:
            shutil.copytree(self.root / path, folder / name / path)
            # Owners are not copied.
            subprocess.run(["cp", "-a", "-T", self.root / path, folder / name / path], check=True)
            layer.mount("--bind", folder / name / path, self.root / path)
        self._first = None

    def turn_on(self):
        enter = f"hostname {self.name} && mount -t proc proc {self.root}/proc && exec chroot {self.root} /usr/bin/python3 -c \"$0\""
        command = ["unshare", "--net", "--pid", "--ipc", "--uts", "--mount", "--fork", "--kill-child", "sh", "-c", enter, _FIRST]
        self._holder = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/")
        if self._holder.stdout.readline() != b"up\n":
            raise AssertionError(f"{self.name} does not start: {self._holder.stderr.read().decode()}")
        holder = self._holder.pid
        self._first = int(pathlib.Path(f"/proc/{holder}/task/{holder}/children").read_text())
        ip("link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", str(self._first))
        self.join()
        for command in (f"address add {self.address}/24 dev eth0", "link set eth0 up", "link set lo up"):
            self.run(f"ip {command}")

    def is_on(self):
        return self._first is not None

    # What happens to it.

    def kill(self):
        """As when its power fails: all of it at once. What it wrote is on its disk."""
        # All others go with its first process.
        os.kill(self._first, signal.SIGKILL)
        self._holder.communicate()
        self._first = None
        with contextlib.suppress(subprocess.CalledProcessError):
            subprocess.run(["ip", "link", "delete", self.name], check=True, stderr=subprocess.DEVNULL)
        for path in (self.root / "run").iterdir():
            if path.is_file():
                path.unlink()

    def pause(self):
        """It stands still, and its connections stay open."""
        stopped = set()
        while new := set(self.processes()) - stopped:
            _signal(new, signal.SIGSTOP)
            stopped |= new

    def resume(self):
        _signal(self.processes(), signal.SIGCONT)

    def kill_program(self, name):
        """All processes of a program, at once."""
        _signal(self.processes(name), signal.SIGKILL)

    def leave(self):
        """Its cable is pulled at the other end: nobody tells it."""
        ip("link", "set", self.name, "nomaster")

    def join(self):
        ip("link", "set", self.name, "master", BRIDGE, "up")

    def lose(self, other):
        """What it sends to another machine reaches nobody, and the other way round."""
        for one, lost in ((self, other), (other, self)):
            one.run(f"ip neighbour replace {lost.address} lladdr 02:00:00:00:00:ff nud permanent dev eth0")

    def find(self, other):
        for one, lost in ((self, other), (other, self)):
            one.run(f"ip neighbour delete {lost.address} dev eth0")

    # What is done on it.

    def processes(self, name=None):
        """Those of this machine, or those of a program on it."""
        here = os.readlink(f"/proc/{self._first}/ns/pid")
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.readlink(path / "ns/pid") == here and (name is None or (path / "comm").read_text().strip() == name[:15]):
                    found.append(int(path.name))
        return found

    def _entered(self, script):
        return ["nsenter", "--target", str(self._first), "--all", "--root", "--wd", "sh", "-ec", script]

    def try_run(self, script, seconds=60):
        env = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        command = self._entered(script)
        return subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, cwd="/")

    def run(self, script, seconds=60):
        """What a shell on it prints."""
        done = self.try_run(script, seconds)
        if done.returncode:
            raise AssertionError(f"{self.name}: {script}\nended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def file(self, path):
        return self.root / path.lstrip("/")

    def write(self, path, text):
        file = self.file(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def wait_for(self, name, seconds=30):
        until(f"{name} on {self.name}", lambda: self.processes(name), seconds)
