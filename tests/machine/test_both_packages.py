"""Server and agent on one bare machine, from their packages alone: installed and set up as the guide says, and restarted."""

import json
import re
import unittest

from rig import pages, report
from rig.case import MachineCase, packages

_URL = "http://127.0.0.1:8345"


@unittest.skipIf(len(packages()) < 2, "the machine is made without packages")
class BothPackages(MachineCase):
    def make_bare(self, kiosk):
        """Debian as it is without gatehand; what a kiosk's image adds asks for no code meanwhile."""
        kiosk.guest.run("systemctl stop gatehand-enrol && apt-get -qq -y purge gatehand-agent gatehand-server 2>&1", 180)
        left = kiosk.guest.run("dpkg-query -W -f '${Package}\\n' 'gatehand*' 2>/dev/null; ls -d /var/lib/gatehand* 2>/dev/null; true")
        self.assertEqual(left, "")
        kiosk.guest.run("! command -v gatehand && ! systemctl cat gatehand-server.service gatehand.service 2>/dev/null")

    def test_packages_on_a_bare_debian_make_a_device_that_is_still_itself_after_a_reboot(self):
        kiosk = self.started_kiosk()
        self.make_bare(kiosk)
        kiosk.guest.run("mkdir /root/packages")
        for package in packages():
            kiosk.guest.write(f"/root/packages/{package.name}", package.read_bytes())
        pages.answer_yes(kiosk.guest)
        said = kiosk.guest.run("cd /root/packages && apt install ./gatehand-server_*.deb ./gatehand-agent_*.deb 2>&1", 300)
        report.say(next(line for line in said.splitlines() if "newly installed" in line))
        # Each page installs its own package, which is there by now.
        for page in ["docs/SERVER.md", "docs/KIOSK.md"]:
            kiosk.guest.run(f"set -e\ncd /root/packages\n{self.with_address(pages.typed(page))}", 300)
        set_up = self.with_address(pages.second_block("docs/SERVER.md"))
        printed = kiosk.guest.run(f"set -e\ncd /root\n{set_up}", 180)
        code = re.search(r"^Link: (\S+)$", printed, re.MULTILINE).group(1)
        # The printed code, typed at the question on the screen.
        kiosk.guest.run("systemctl start gatehand-enrol")
        kiosk.enrol_by_keys(code)
        identity = kiosk.identity()
        (device,) = self.listed(kiosk)
        self.assertTrue(device["initialized"])
        self.assertEqual((identity["server"], identity["unique_serial"]), (_URL, device["unique_serial"]))
        kiosk.reboot()
        self.assertEqual(kiosk.identity(), identity)
        self.assertEqual(kiosk.told("info")["unique_serial"], identity["unique_serial"])
        self.assertEqual(kiosk.guest.run("systemctl is-active gatehand-server gatehand"), "active\nactive\n")
        self.assertEqual(kiosk.guest.run("systemctl --failed --plain --no-legend"), "")
        self.assertEqual([one["unique_serial"] for one in self.listed(kiosk)], [identity["unique_serial"]])

    @staticmethod
    def with_address(block):
        return block.replace("https://tickets.example", _URL)

    @staticmethod
    def listed(kiosk):
        return json.loads(kiosk.guest.run("gatehand-server admin device list bigevents --json", 120))
