"""A machine: QEMU with a disk, a USB keyboard, a screen, a network of loopback only, and a clock."""

import shlex
import shutil
import time
from dataclasses import dataclass, field

from .console import Console
from .guest import Guest
from .keyboard import Keyboard
from .process import Process
from .qmp import Qmp
from .speed import Speed
from .waiting import TooLate, until


@dataclass
class Settings:
    """What a machine is, beside its disk."""

    kernel_arguments: list[str] = field(default_factory=list)
    # What its clock shows at the start, as QEMU's -rtc takes it. Without a battery it is years ago.
    clock: str = "utc"
    tpm: object = None
    # The serial number that its firmware tells.
    serial: str = "GH-0000"
    # More of QEMU's arguments, as for a scanner or another serial number of the hardware.
    more: list[str] = field(default_factory=list)
    memory: int = 1024
    # Started by firmware (UEFI) from the disk alone, as real hardware does it; else by QEMU, which is faster.
    by_firmware: bool = False


class Machine:
    """Used as a context: it is off at the end, whatever happens."""

    def __init__(self, image, disk, folder, settings=None, speed=None):
        self.image, self.disk, self.folder = image, disk, folder
        self.settings = settings or Settings()
        self.speed = speed or Speed.here()
        self.boot_seconds = []
        self._qemu = self.qmp = self.guest = self.keyboard = self.console = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.turn_off()

    def turn_on(self, wait=True):
        """Starts it, and waits until it is up."""
        begun = time.monotonic()
        self._start_qemu(self._start())
        if wait:
            self.wait_until_up()
            self.boot_seconds.append(time.monotonic() - begun)

    def resume(self, state):
        """Goes on where `suspend` left a machine of this kind, whose disk this one's begins with."""
        self._start_qemu([*self._start(), "-incoming", f"exec:cat {shlex.quote(str(state))}"])
        until("the machine's memory", lambda: self._status() != "inmigrate", 60 * self.speed.slowness)
        # It was stopped when its memory was written down, and so it comes back.
        self.qmp.execute("cont")
        self.guest.wait_until_it_answers(20 * self.speed.slowness)
        # Its clock stood still meanwhile.
        self.guest.run(f"date -u -s @{time.time():.3f} && systemctl try-restart systemd-timesyncd")

    def _status(self):
        self._qemu.check()
        return self.qmp.execute("query-status")["status"]

    def suspend(self, state):
        """Writes down what is in its memory, and ends it without a word to it."""
        self.qmp.execute("stop")
        self.qmp.execute("migrate", uri=f"exec:cat > {shlex.quote(str(state))}")

        def is_written():
            status = self.qmp.execute("query-migrate")["status"]
            if status == "failed":
                raise AssertionError("the machine's memory could not be written down")
            return status == "completed"

        until("the machine's memory on disk", is_written, 60 * self.speed.slowness)
        self.qmp.execute("quit")
        self._gone()

    def _start_qemu(self, start):
        sockets = {name: self.folder / f"{name}.sock" for name in ("qmp", "guest")}
        for socket in sockets.values():
            socket.unlink(missing_ok=True)
        tpm = self.settings.tpm.attach() if self.settings.tpm else []
        command = [
            "qemu-system-x86_64",
            *("-nodefaults", "-no-user-config", "-display", "none", "-name", "kiosk"),
            # No keyboard but the one on USB.
            *("-machine", f"q35,i8042=off", *self.speed.arguments),
            *("-m", str(self.settings.memory)),
            *("-rtc", f"base={self.settings.clock},clock=vm"),
            *start,
            *self.disk.attach(),
            *("-device", "virtio-blk-pci,drive=disk,write-cache=on,serial=kiosk"),
            *("-device", "VGA", "-device", "qemu-xhci", "-device", "usb-kbd"),
            # The whole test has a network of loopback only, so this leads there and nowhere else.
            *("-netdev", "user,id=net,ipv6=off", "-device", "virtio-net-pci,netdev=net,romfile="),
            *("-serial", f"file:{self.folder / 'serial.log'}"),
            *("-device", "virtio-serial-pci", "-chardev", f"socket,id=guest,path={sockets['guest']},server=on,wait=off"),
            *("-device", "virtserialport,chardev=guest,name=org.qemu.guest_agent.0"),
            *("-device", "virtio-rng-pci"),
            *("-qmp", f"unix:{sockets['qmp']},server=on,wait=off"),
            *tpm,
            *("-smbios", f"type=1,serial={self.settings.serial}"),
            *self.settings.more,
        ]
        self._qemu = Process(command, self.folder / "qemu.log")
        until("QEMU's socket", lambda: self._qemu.check() or sockets["qmp"].exists(), 20, 0.02)
        self.qmp = Qmp(sockets["qmp"])
        self.guest = Guest(sockets["guest"], self.speed.slowness)
        self.keyboard = Keyboard(self.qmp, 1 if self.speed.slowness == 1 else 3)
        self.console = Console(self.guest, self.speed.slowness)

    def _start(self):
        """QEMU's arguments for what it starts from."""
        if not self.settings.by_firmware:
            arguments = " ".join([*self.image.kernel_arguments, *self.settings.kernel_arguments])
            return ["-kernel", self.image.kernel, "-initrd", self.image.initrd, "-append", arguments]
        if self.settings.kernel_arguments:
            raise ValueError("kernel arguments are on the image, where firmware starts it")
        variables = self.folder / "firmware.fd"
        if not variables.exists():
            shutil.copyfile("/usr/share/OVMF/OVMF_VARS_4M.fd", variables)
        return [
            *("-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd"),
            *("-drive", f"if=pflash,format=raw,file={variables}"),
        ]

    def wait_until_up(self):
        """Waits until the services of a boot have come up or failed."""
        try:
            self.guest.wait_until_it_answers(60 * self.speed.slowness)
        except (TooLate, ConnectionError) as error:
            raise AssertionError(f"{error}; the machine's last words:\n{self.last_words()}") from error
        self.guest.try_run("systemctl is-system-running --wait", 90)
        # Debugging of a slow boot begins with these.
        with open(self.folder / "boot.log", "a") as log:
            log.write(self.guest.try_run("systemd-analyze; systemd-analyze blame | head -n 15").out)

    def wait_for_network(self):
        """Waits until commands work and something can be reached, whatever else is still starting."""
        self.guest.wait_until_it_answers(60 * self.speed.slowness)
        until(
            "a route",
            lambda: self.guest.run("ip -4 route show default"),
            60 * self.speed.slowness,
            0.3,
        )

    def last_words(self):
        log = self.folder / "serial.log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else "none"

    def reboot(self):
        """An orderly restart, from within."""
        before = self.guest.run("cat /proc/sys/kernel/random/boot_id")
        self.guest.start("systemctl reboot")
        self.qmp.wait_event("RESET", 90 * self.speed.slowness)
        begun = time.monotonic()
        self.wait_until_up()
        self.boot_seconds.append(time.monotonic() - begun)
        after = self.guest.run("cat /proc/sys/kernel/random/boot_id")
        if before == after:
            raise AssertionError("the machine did not restart")

    def cut_power(self):
        """Pulls the plug at once, of the machine and of its disk."""
        self._qemu.kill()
        self.disk.cut()
        self._gone()

    def turn_off(self):
        """An orderly end where it is up; an end in any case."""
        if self._qemu is None:
            return
        if self._qemu.runs():
            try:
                self.guest.start("systemctl poweroff")
                until("the machine's end", lambda: not self._qemu.runs(), 60 * self.speed.slowness)
            except (AssertionError, OSError):
                self._qemu.kill()
        self._gone()

    def pull(self):
        """An end without any order, where what is on the disk does not matter any more."""
        if self._qemu is not None:
            self._qemu.kill()
            self._gone()

    def _gone(self):
        self._qemu.reap()
        self.disk.detach()
        if self.settings.tpm:
            self.settings.tpm.detach()
        for connection in (self.qmp, self.guest):
            connection.close()
        self._qemu = None
