#!/usr/bin/env python3
"""Before the tests: builds the image while there still is a network, and finds how a machine is run here.

tests/machine/run.sh calls it, and reads the word that it prints."""

import os
import sys

from rig import speed
from rig.case import KEPT, the_image

KEPT.mkdir(parents=True, exist_ok=True)
image = the_image()
accelerator = os.environ.get("GATEHAND_MACHINE_ACCEL")
if not accelerator:
    accelerator, why = speed.find(image)
    print(f"{why}: {'with KVM' if accelerator == 'kvm' else 'emulated'}", file=sys.stderr)
print(accelerator)
