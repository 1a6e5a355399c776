#!/usr/bin/env python3
"""Before the tests: installs packages, while there still is a network. tests/cluster/run.sh calls it."""

import os
import pathlib

from rig import layer

layer.install(pathlib.Path(os.environ["GATEHAND_CLUSTER_FOLDER"]), os.environ["GATEHAND_CLUSTER_PROGRAM"])
