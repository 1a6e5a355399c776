"""Processes that this rig starts, and ends: no others."""

import atexit
import contextlib
import signal
import subprocess

_started = set()


@atexit.register
def _end_what_is_left():
    """An interrupted test has no time to tidy up."""
    for process in list(_started):
        process.kill()


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
        _started.add(self)

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
        _started.discard(self)
        self._log.close()
        return status
