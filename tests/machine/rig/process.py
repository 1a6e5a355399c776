"""Processes that this rig starts, and ends: no others."""

import contextlib
import signal
import subprocess


class Process:
    def __init__(self, command, log, env=None):
        self._log = open(log, "ab")
        # Each in a session of its own, so that an interrupt at the keyboard ends the test first.
        self._child = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=env,
            start_new_session=True,
        )
        self.log = log

    def runs(self):
        return self._child.poll() is None

    def check(self):
        if not self.runs():
            with open(self.log, errors="replace") as log:
                raise AssertionError(f"{self._child.args[0]} ended with {self._child.returncode}:\n{log.read()[-4000:]}")

    def kill(self):
        """Ends it at once; it has no time to write anything."""
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(signal.SIGKILL)

    def stop(self):
        """Asks it to end, and makes it end."""
        self._child.terminate()
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
        self.reap()

    def reap(self, seconds=20):
        status = self._child.wait(seconds)
        self._log.close()
        return status
