"""Server and agent on one bare machine, from their packages alone: installed and set up as the guide says, and restarted."""

import json
import re
import unittest

from rig import report
from rig.case import MachineCase, packages

_URL = "http://127.0.0.1:8345"


@unittest.skipIf(len(packages()) < 2, "the machine is made without packages")
class BothPackages(MachineCase):
    def make_bare(self, kiosk):
        """Debian as it is without gatehand; what a kiosk's image adds asks for no code meanwhile."""
        kiosk.guest.run("systemctl stop gatehand-enrol && apt-get -qq -y purge gatehand-agent gatehand-server 2>&1", 180)
        left = kiosk.guest.run("dpkg-query -W -f '${Package}\\n' 'gatehand*' 2>/dev/null; ls -d /var/lib/gatehand* 2>/dev/null; true")
        self.assertEqual(left, "")
        kiosk.guest.run("! command -v gatehand && ! systemctl cat gatehand-server.service gatehand-heartbeat.timer 2>/dev/null")

    def test_packages_on_a_bare_debian_make_a_device_that_is_still_itself_after_a_reboot(self):
        kiosk = self.started_kiosk()
        self.make_bare(kiosk)
        kiosk.guest.run("mkdir /root/packages")
        for package in packages():
            kiosk.guest.write(f"/root/packages/{package.name}", package.read_bytes())
        said = kiosk.guest.run(
            "cd /root/packages && DEBIAN_FRONTEND=noninteractive apt install -y ./gatehand-server_*.deb ./gatehand-agent_*.deb 2>&1", 300
        )
        report.say(next(line for line in said.splitlines() if "newly installed" in line))
        # packaging/README.md, "A server, from nothing".
        kiosk.guest.run(
            f"sed -i 's|^#GATEHAND_PUBLIC_URL=.*|GATEHAND_PUBLIC_URL={_URL}|' /etc/gatehand/server.env"
            " && systemctl restart gatehand-server",
            120,
        )
        kiosk.guest.run("gatehand-server admin organizer create bigevents --name 'Big Events'", 120)
        printed = kiosk.guest.run("gatehand-server admin device create bigevents --name 'Lane 1' --all-events", 120)
        code = re.search(r"^Link: (\S+)$", printed, re.MULTILINE).group(1)
        # "A kiosk, from nothing": the printed code, typed at the question on the screen.
        kiosk.guest.run("systemctl start gatehand-enrol")
        kiosk.enrol_by_keys(code)
        identity = kiosk.identity()
        (device,) = self.listed(kiosk)
        self.assertTrue(device["initialized"])
        self.assertEqual((identity["server"], identity["unique_serial"]), (_URL, device["unique_serial"]))
        kiosk.reboot()
        self.assertEqual(kiosk.identity(), identity)
        self.assertEqual(kiosk.told("info")["unique_serial"], identity["unique_serial"])
        self.assertEqual(kiosk.guest.run("systemctl is-active gatehand-server gatehand-heartbeat.timer"), "active\nactive\n")
        self.assertEqual(kiosk.guest.run("systemctl --failed --plain --no-legend"), "")
        self.assertEqual([one["unique_serial"] for one in self.listed(kiosk)], [identity["unique_serial"]])

    @staticmethod
    def listed(kiosk):
        return json.loads(kiosk.guest.run("gatehand-server admin device list bigevents --json", 120))
