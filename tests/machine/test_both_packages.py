"""Server and agent on one machine, from their packages alone: set up as the guide says, and restarted."""

import json
import unittest

from rig.case import MachineCase, packages

_URL = "http://127.0.0.1:8345"


@unittest.skipIf(len(packages()) < 2, "the machine is made without packages")
class BothPackages(MachineCase):
    def test_a_device_enrols_at_the_server_beside_it_and_restarts_keep_both(self):
        kiosk = self.started_kiosk()
        admin = "gatehand-server admin"
        kiosk.guest.run(
            f"printf 'GATEHAND_PUBLIC_URL={_URL}\\n' >> /etc/gatehand/server.env && systemctl restart gatehand-server", 120
        )
        kiosk.guest.run(f"{admin} organizer create bigevents --name 'Big Events'", 120)
        created = json.loads(
            kiosk.guest.run(f"{admin} device create bigevents --name 'Lane 1' --all-events --public-url {_URL} --json", 120)
        )
        kiosk.enrol_by_keys(created["payload"])
        identity = kiosk.identity()
        self.assertEqual(identity["unique_serial"], created["unique_serial"])
        kiosk.reboot()
        self.assertEqual(kiosk.identity(), identity)
        self.assertEqual(kiosk.told("info")["unique_serial"], created["unique_serial"])
        self.assertEqual(kiosk.guest.run("systemctl --failed --plain --no-legend"), "")
        listed = json.loads(kiosk.guest.run(f"{admin} device list bigevents --json", 120))
        self.assertEqual([device["unique_serial"] for device in listed], [created["unique_serial"]])
