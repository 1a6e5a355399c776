"""How the machine is run: with KVM where a kernel really starts in it, emulated else."""

import os
import pathlib
import subprocess
import tempfile
from dataclasses import dataclass

from .waiting import TooLate, until

_KVM = ["-accel", "kvm", "-cpu", "host"]
# No processor of today, for what it has more is slow to emulate.
_EMULATION = ["-accel", "tcg,tb-size=512", "-icount", "shift=2", "-cpu", "Nehalem,+aes,+pclmulqdq,+rdrand"]


@dataclass(frozen=True)
class Speed:
    accelerator: str

    @property
    def slowness(self):
        """How much longer all of it may take than with KVM."""
        return 1 if self.accelerator == "kvm" else 15

    @property
    def arguments(self):
        """QEMU's arguments for it."""
        return _KVM if self.accelerator == "kvm" else _EMULATION

    @staticmethod
    def here():
        """What GATEHAND_MACHINE_ACCEL says; run.sh sets it to what was found where it is not given."""
        wanted = os.environ.get("GATEHAND_MACHINE_ACCEL", "")
        if wanted not in ("kvm", "tcg"):
            raise SystemExit(f"GATEHAND_MACHINE_ACCEL is “{wanted}”: it may be kvm or tcg")
        return Speed(wanted)


def find(image):
    """Which of them works here, and why."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg", "/dev/kvm does not open"
    if starts_with_kvm(image):
        return "kvm", "/dev/kvm opens and starts a kernel"
    # As where KVM is a guest's own, for kernels made for it only.
    return "tcg", "/dev/kvm opens, but Debian's kernel does not start in it"


def starts_with_kvm(image, seconds=30):
    """Whether the image's kernel says a word with KVM."""
    with tempfile.TemporaryDirectory() as folder:
        serial = pathlib.Path(folder, "serial")
        command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35", *_KVM]
        command += ["-m", "512", "-kernel", str(image.kernel), "-append", "earlyprintk=ttyS0 console=ttyS0"]
        command += ["-serial", f"file:{serial}"]
        qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def has_spoken():
            return serial.exists() and b"Linux version" in serial.read_bytes()

        try:
            return until("a kernel's first word", lambda: has_spoken() or qemu.poll() is not None, seconds) and has_spoken()
        except TooLate:
            return False
        finally:
            qemu.kill()
            qemu.wait()
