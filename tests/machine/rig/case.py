"""What every test of a machine begins with."""

import functools
import os
import pathlib
import shutil
import tempfile
import unittest

from . import image, report
from .disk import CopyOnWrite, WithWriteCache
from .kiosk import QUESTION, Kiosk
from .ntp import TimeServer
from .server import Server
from .speed import Speed
from .tls import Authority
from .vm import Settings

# What a boot takes long over and a test of the disk has no use for: the clock is right from the start, and nobody
# is at the screen.
WITHOUT_A_PERSON = [
    f"systemd.mask={unit}"
    for unit in [
        *("systemd-timesyncd.service", "systemd-time-wait-sync.service", "systemd-resolved.service", "systemd-logind.service"),
        *("dbus.socket", "dbus.service", "keyboard-setup.service", "console-setup.service", "serial-getty@ttyS0.service"),
        *("gatehand-enrol.service", "gatehand-server.service", "systemd-update-utmp.service"),
    ]
]

KEPT = pathlib.Path(os.environ.get("GATEHAND_MACHINE_FOLDER", "target/machine")).resolve()


def program():
    """The gatehand that serves on this side."""
    return pathlib.Path(os.environ["GATEHAND_MACHINE_PROGRAM"]).resolve()


def packages():
    """The packages that the image is made with: the newest of each name."""
    folder = os.environ.get("GATEHAND_MACHINE_PACKAGES")
    if not folder:
        return []
    found = sorted(pathlib.Path(folder).resolve().glob("*_amd64.deb"), key=lambda path: path.stat().st_mtime)
    return sorted({path.name.split("_")[0]: path for path in found}.values())


def started(speed):
    """A disk and a memory of a machine that is up and asks for its code, so that not every test boots one."""
    used = the_image()
    folder = KEPT / f"started-{used.path.stem}-{speed.accelerator}"
    disk, memory = folder / "disk.qcow2", folder / "memory"
    if not memory.exists():
        for old in [*KEPT.glob("started-*"), *KEPT.glob("starting-*")]:
            shutil.rmtree(old)
        making = KEPT / "starting-up"
        making.mkdir()
        kiosk = Kiosk(used, CopyOnWrite(used.path, making), making, Settings(), speed)
        try:
            kiosk.turn_on()
            kiosk.console.wait(QUESTION, 90)
            kiosk.guest.run("sync")
            kiosk.suspend(making / "memory")
        finally:
            kiosk.pull()
        report.boots.extend(kiosk.boot_seconds)
        making.rename(folder)
    return disk, memory


@functools.cache
def the_image():
    found = packages()
    agent = pathlib.Path(os.environ.get("GATEHAND_MACHINE_AGENT") or program()).resolve()
    return image.build(KEPT, found, None if found else agent)


class MachineCase(unittest.TestCase):
    """A server, and machines that are off when the test is over."""

    def setUp(self):
        KEPT.mkdir(parents=True, exist_ok=True)
        self.speed = Speed.here()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=KEPT))
        self.addCleanup(self._tidy)
        self._machines = 0
        # As the time server of a kiosk's network; without it a machine waits for the time.
        self.time = TimeServer()
        self.addCleanup(lambda: self.time.close())

    def _tidy(self):
        # Of a test with parts, the last part's failure is told at the end.
        result = self._outcome.result
        if not self._outcome.success or any(test is self for test, _ in result.failures + result.errors):
            # The disk is large; logs tell what happened.
            for disk in self.folder.rglob("disk.*"):
                disk.unlink()
            report.say(f"the logs of {self.id()} are in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def server(self):
        server = Server(program(), self.folder, Authority(KEPT / "authority"))
        self.addCleanup(server.close)
        return server

    def kiosk(self, loses_power=False, begins_with=None, **settings):
        """A machine that is off yet, with a disk as the image is, or another one."""
        return self._kiosk(begins_with or the_image().path, loses_power, Settings(**settings))

    def started_kiosk(self, loses_power=False, kernel_arguments=()):
        """A machine that is up and asks for its code. It is as all are; the kernel's arguments are for later boots."""
        disk, memory = started(self.speed)
        kiosk = self._kiosk(disk, loses_power, Settings(kernel_arguments=list(kernel_arguments)))
        kiosk.resume(memory)
        return kiosk

    def _kiosk(self, begins_with, loses_power, settings):
        self._machines += 1
        folder = self.folder / f"machine-{self._machines}"
        folder.mkdir()
        disk = (WithWriteCache if loses_power else CopyOnWrite)(begins_with, folder)
        kiosk = Kiosk(the_image(), disk, folder, settings, self.speed)
        self.addCleanup(self._off, kiosk)
        return kiosk

    def _off(self, kiosk):
        kiosk.pull()
        for seconds in kiosk.boot_seconds:
            report.boots.append(seconds)
