#!/usr/bin/env python3
"""Runs the tests of the cluster, and leaves a log. tests/cluster/run.sh calls it."""

import datetime
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

from rig import layer, report

HERE = pathlib.Path(__file__).resolve().parent


def main():
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun = time.monotonic()
    suite = unittest.defaultTestLoader.discover(str(HERE), top_level_dir=str(HERE))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    version = subprocess.run([os.environ["GATEHAND_CLUSTER_PROGRAM"], "--version"], capture_output=True, text=True).stdout.strip()
    head = [f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} processors", version, *layer.versions()]
    bad = len(result.failures) + len(result.errors)
    tail = [f"{result.testsRun} tests in {(time.monotonic() - begun) / 60:.0f} minutes, {bad} failures"]
    log = pathlib.Path(os.environ["GATEHAND_CLUSTER_FOLDER"], "cluster.log")
    log.write_text("\n".join([*head, "", *report.lines, "", *tail, ""]))
    if result.testsRun:
        shutil.copyfile(log, HERE.parents[1] / "docs/cluster.log")
    if bad:
        print(f"what its programs said is in {log.with_name('logs')}")
    print(f"{result.testsRun - min(bad, result.testsRun)} passed, {bad} failed, {len(result.skipped)} skipped")
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
