"""The machine's disk, in two forms."""

import subprocess

from .process import Process
from .waiting import until


def _format(path):
    return "qcow2" if path.suffix == ".qcow2" else "raw"


def with_boot_files(begins_with, path, files):
    """A disk like another one with these files on its boot partition, as somebody puts them on a card, whose
    first partition each computer shows."""
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", str(begins_with), str(path)], check=True)
    for name, text in files.items():
        subprocess.run(["mcopy", "-i", f"{path}@@1M", "-", f"::{name}"], input=text.encode(), check=True)
    return path


class CopyOnWrite:
    """What the machine writes lies in a file beside the disk it begins with, which stays as it is."""

    def __init__(self, begins_with, folder):
        self.path = folder / "disk.qcow2"
        command = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(begins_with), "-F", _format(begins_with)]
        subprocess.run([*command, str(self.path)], check=True)

    def attach(self):
        """QEMU's arguments for it."""
        return ["-blockdev", f"driver=qcow2,node-name=disk,file.driver=file,file.filename={self.path}"]

    def detach(self):
        """The machine is off."""


class WithWriteCache:
    """A disk with a cache that forgets: what was not flushed is gone when its plug is pulled.

    nbdkit serves a file; its cache filter keeps what is written in a file without a name, which goes
    with the process, until the machine asks for a flush."""

    def __init__(self, begins_with, folder):
        self._path, self._socket, self._log = folder / "disk.raw", folder / "disk.sock", folder / "nbdkit.log"
        command = ["qemu-img", "convert", "-f", _format(begins_with), "-O", "raw", str(begins_with), str(self._path)]
        subprocess.run(command, check=True)
        self._server = None

    def attach(self):
        self._socket.unlink(missing_ok=True)
        self._server = Process(
            ["nbdkit", "--foreground", "--unix", self._socket, "--filter=cache", "file", self._path, "cache=writeback"],
            self._log,
        )
        until("nbdkit's socket", lambda: self._server.check() or self._socket.exists(), 20, 0.01)
        return ["-blockdev", f"driver=nbd,node-name=disk,server.type=unix,server.path={self._socket}"]

    def cut(self):
        """Pulls the plug: what nobody flushed is gone."""
        self._server.kill()

    def detach(self):
        if self._server:
            # After an orderly end nothing is left to flush: the machine has done so.
            self._server.kill()
            self._server.reap()
            self._server = None
