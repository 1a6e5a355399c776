#!/usr/bin/env python3
"""Runs the tests of a whole machine, or those that are named, and leaves a log. tests/machine/run.sh calls it."""

import datetime
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

from rig import report
from rig.case import KEPT, packages, program
from rig.speed import Speed

HERE = pathlib.Path(__file__).resolve().parent


class Log:
    """The log's file, which is whole after each test: a run takes long, and may be ended before."""

    def __init__(self, path, head):
        self.path, self.head = path, head

    def write(self, *tail):
        KEPT.mkdir(parents=True, exist_ok=True)
        self.path.write_text("\n".join([*self.head, "", *report.lines, "", *tail, ""]))


class Timed(unittest.TextTestResult):
    """Notes how each test ended and how long it took."""

    log = None

    def startTest(self, test):
        super().startTest(test)
        self._begun, self._bad = time.monotonic(), len(self.failures) + len(self.errors)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._tell(self.failures)

    def addError(self, test, error):
        super().addError(test, error)
        self._tell(self.errors)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            self._tell(self.failures if issubclass(error[0], test.failureException) else self.errors)

    def _tell(self, bad):
        """At once, for a run takes long."""
        self.stream.writeln(f"\n{bad[-1][1]}")
        self.stream.flush()

    def stopTest(self, test):
        super().stopTest(test)
        ok = len(self.failures) + len(self.errors) == self._bad
        name = test._testMethodName.removeprefix("test_").replace("_", " ")
        report.lines.append(f"{'ok    ' if ok else 'FAILED'} {time.monotonic() - self._begun:6.0f} s  {type(test).__name__}: {name}")
        self.log.write("this run did not come to its end")


def first_line(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]


def main(names):
    # So that what was started is ended. A part of a test takes any other exception for its own failure, and goes on.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    loader = unittest.TestLoader()
    suite = loader.loadTestsFromNames(names) if names else loader.discover(str(HERE), top_level_dir=str(HERE))
    speed = Speed.here()
    head = [
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {'KVM' if speed.accelerator == 'kvm' else 'emulation'}",
        first_line("qemu-system-x86_64", "--version"),
        first_line(str(program()), "--version") + ", " + (", ".join(path.name for path in packages()) or "the program alone"),
    ]
    log = Timed.log = Log(KEPT / ("machine.log" if not names else "machine-part.log"), head)
    begun = time.monotonic()
    result = unittest.TextTestRunner(resultclass=Timed, verbosity=2, failfast=False).run(suite)
    boots = sorted(report.boots)
    tail = [f"{len(boots)} boots, of {boots[0]:.1f} to {boots[-1]:.1f} s, half of them within {boots[len(boots) // 2]:.1f} s"] if boots else []
    bad = len(result.failures) + len(result.errors)
    tail.append(f"{result.testsRun} tests in {(time.monotonic() - begun) / 60:.0f} minutes, {bad} failures")
    log.write(*tail)
    print(log.path.read_text())
    if not names and result.wasSuccessful():
        shutil.copyfile(log.path, HERE.parents[1] / "docs" / "machine.log")
    if not result.testsRun:
        print("no test was run")
    print(f"{result.testsRun - min(bad, result.testsRun)} passed, {bad} failed, {len(result.skipped)} skipped")
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
