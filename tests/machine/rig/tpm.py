"""A TPM for the machine, which keeps its state in a folder."""

from .process import Process
from .waiting import until


class Tpm:
    def __init__(self, folder):
        self._state, self._socket, self._log = folder / "tpm", folder / "tpm.sock", folder / "swtpm.log"
        self._state.mkdir(exist_ok=True)
        self._process = None

    def attach(self):
        """QEMU's arguments for it. swtpm ends with the machine."""
        self._socket.unlink(missing_ok=True)
        self._process = Process(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self._state}", "--ctrl", f"type=unixio,path={self._socket}"],
            self._log,
        )
        until("swtpm's socket", lambda: self._process.check() or self._socket.exists(), 20, 0.01)
        return [
            *("-chardev", f"socket,id=tpm,path={self._socket}"),
            *("-tpmdev", "emulator,id=tpm,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm"),
        ]

    def clear(self):
        """Forgets all that the TPM held, as new firmware may; the machine has to be off."""
        for file in self._state.iterdir():
            file.unlink()

    def detach(self):
        if self._process:
            self._process.stop()
            self._process = None
