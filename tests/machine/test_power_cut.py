"""The plug is pulled at random moments of what changes a device: it boots again, and is still itself."""

import os
import random
import sys
import time
from collections import Counter

from rig import report
from rig.case import WITHOUT_A_PERSON, MachineCase
from rig.kiosk import HOME, command
from rig.waiting import until

# So many cuts, and of what; every third is of an enrolment.
_CUTS = {"kvm": 100, "tcg": 10}
_OPERATIONS = ("init", "roll", "update")


class PowerCut(MachineCase):
    def setUp(self):
        super().setUp()
        self.at = self.server()
        self.seed = int(os.environ.get("GATEHAND_MACHINE_SEED") or random.randrange(1 << 32))
        self.random = random.Random(self.seed)
        self.code = None
        self.others = {}

    def test_a_device_is_still_itself_whenever_the_power_fails(self):
        cuts = int(os.environ.get("GATEHAND_MACHINE_CUTS") or _CUTS[self.speed.accelerator])
        report.say(f"seed {self.seed}: {cuts} cuts")
        kiosk = self.started_kiosk(loses_power=True, kernel_arguments=WITHOUT_A_PERSON)
        kiosk.guest.run("systemctl stop gatehand-enrol && sync")
        took = {name: self.measure(kiosk, name) for name in _OPERATIONS}
        report.say("uncut: " + ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in took.items()))
        found = Counter()
        begun = time.monotonic()
        for number in range(cuts):
            name = _OPERATIONS[number % len(_OPERATIONS)]
            with self.subTest(seed=self.seed, cut=number, operation=name):
                before = self.prepare(kiosk, name)
                # Half of them from the start of the command on, half once it has called the server.
                is_called = number % 2 == 1
                wait = self.random.uniform(0, took[name] * (0.3 if is_called else 1.2))
                called = self.at.front.callers
                self.begin(kiosk, name, number)
                if is_called:
                    until("a call", lambda: self.at.front.callers > called, 60 * self.speed.slowness, 0.002)
                time.sleep(wait)
                kiosk.cut_power()
                kiosk.turn_on(wait=False)
                kiosk.wait_for_network()
                self.check_file_system(kiosk)
                state = self.check(kiosk, name, before, number)
                found[name, state] += 1
                print(f"    cut {number + 1}, {wait:.2f} s {'after the call' if is_called else 'into'} {name}: found {state}", file=sys.stderr, flush=True)
        report.say(f"a cut, the boot after it and its checks took {(time.monotonic() - begun) / cuts:.1f} s")
        for (name, state), count in sorted(found.items()):
            report.say(f"{count:4} cuts of {name}: found {state}")
        self.assertEqual(sum(found.values()), cuts)

    def measure(self, kiosk, name):
        before = self.prepare(kiosk, name)
        begun = time.monotonic()
        done = kiosk.guest.wait(self.begin(kiosk, name, "at first"))
        took = time.monotonic() - begun
        self.assertEqual(done.status, 0, str(done))
        self.check(kiosk, name, before, "at first")
        return took

    def prepare(self, kiosk, name):
        """For an enrolment there is none, and a fresh token; for all else there is one. Who the device is."""
        if name != "init":
            return kiosk.identity()
        if self.code:
            kiosk.told("revoke", "--yes")
        # The folder of a device that was given up.
        kiosk.guest.run(f"find {HOME} -mindepth 1 -delete && sync")
        self.others = {number: device["initialized"] for number, device in self.at.devices().items()}
        self.code = self.at.code(f"Lane {len(self.others) + 1}")
        return None

    def begin(self, kiosk, name, number):
        arguments = {
            "init": ("init", "--payload", self.code.payload),
            "roll": ("roll",),
            "update": ("update", "--hardware-brand", "Big Events", "--hardware-model", f"Kiosk {number}"),
        }[name]
        return kiosk.guest.start(command(*arguments))

    def check_file_system(self, kiosk):
        self.assertEqual(kiosk.guest.run("findmnt -no FS-OPTIONS / | tr , '\\n' | grep -x rw"), "rw\n")
        self.assertEqual(kiosk.guest.run("dmesg | grep -i 'EXT4-fs error' || true"), "")

    def check(self, kiosk, name, before, number):
        """Goes on as a person would, and holds the device to who it was. What state it was found in."""
        state = kiosk.state()
        if name != "init":
            found = f"{state['pending']} begun" if state.get("pending") else "nothing begun, or all done"
            self.assertEqual(kiosk.identity(), before)
        elif state.get("state") == "enrolled":
            found = "it enrolled"
        elif state.get("unfinished") or state.get("pending"):
            found = "it begun"
            kiosk.told("init")
        else:
            found = "nothing begun"
            kiosk.told("init", "--payload", self.code.payload)
        # The key works, and is of the one device that the code was for.
        info = kiosk.told("info")
        self.assertEqual((info["device_id"], info["unique_serial"]), (self.code.device_id, self.code.serial))
        after = kiosk.state()
        self.assertEqual((after["state"], after.get("pending")), ("enrolled", None))
        devices = self.at.devices()
        self.assertEqual(set(devices), {*self.others, self.code.device_id})
        self.assertTrue(devices[self.code.device_id]["initialized"])
        self.assertFalse(devices[self.code.device_id]["revoked"])
        if name == "update":
            told = kiosk.told("update", "--hardware-brand", "Big Events", "--hardware-model", f"Kiosk {number}, after")
            self.assertEqual(told["reported"]["hardware_model"], f"Kiosk {number}, after")
            self.assertEqual(self.at.devices()[self.code.device_id]["hardware_model"], f"Kiosk {number}, after")
        return found
