"""The agent's package is upgraded in place, from the version before."""

import os
import pathlib
import subprocess
import unittest

from rig import pages
from rig.case import MachineCase, packages


def the_agents():
    """The agent's package, if the machine is made with packages."""
    found = [path for path in packages() if path.name.startswith("gatehand-agent_")]
    return found[0] if found else None


@unittest.skipIf(the_agents() is None or len(packages()) < 2, "the machine is made without both packages")
class Upgrade(MachineCase):
    def before(self):
        """The package of GATEHAND_MACHINE_BEFORE; without, today's by a version of before."""
        given = os.environ.get("GATEHAND_MACHINE_BEFORE")
        if given:
            return pathlib.Path(given)
        unpacked, packed = self.folder / "unpacked", self.folder / "before.deb"
        subprocess.run(["dpkg-deb", "-R", str(the_agents()), str(unpacked)], check=True)
        control = unpacked / "DEBIAN" / "control"
        lines = control.read_text().splitlines(keepends=True)
        control.write_text("".join("Version: 0.0.9~before\n" if line.startswith("Version:") else line for line in lines))
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "-b", str(unpacked), str(packed)], check=True, stdout=subprocess.DEVNULL)
        return packed

    def install(self, kiosk, package):
        kiosk.guest.write("/root/package.deb", package.read_bytes())
        kiosk.guest.run("dpkg --force-downgrade --force-confold -i /root/package.deb 2>&1", 180)
        return kiosk.guest.run("dpkg-query -W -f '${Version}' gatehand-agent")

    def upgraded(self, kiosk):
        """As the page says."""
        kiosk.guest.run("mkdir /root/packages")
        for package in packages():
            kiosk.guest.write(f"/root/packages/{package.name}", package.read_bytes())
        pages.answer_yes(kiosk.guest)
        kiosk.guest.run(f"cd /root/packages && set -e\n{pages.typed('docs/UPGRADE.md')}", 300)
        return kiosk.guest.run("dpkg-query -W -f '${Version}' gatehand-agent")

    def test_an_upgrade_keeps_the_device_and_its_settings(self):
        server = self.server()
        code = server.code("Lane 1")
        kiosk = self.started_kiosk()
        before = self.install(kiosk, self.before())
        kiosk.guest.run("systemctl restart gatehand-enrol")
        kiosk.enrol_by_keys(code.payload)
        identity, settings = kiosk.identity(), kiosk.guest.run("sha256sum /etc/gatehand/*")
        after = self.upgraded(kiosk)
        self.assertNotEqual(before, after)
        self.assertEqual(kiosk.identity(), identity)
        self.assertEqual(kiosk.told("info")["unique_serial"], code.serial)
        self.assertEqual(kiosk.guest.run("sha256sum /etc/gatehand/*"), settings)
        self.assertEqual(kiosk.guest.run("systemctl is-active gatehand"), "active\n")
        self.assertTrue(kiosk.door()["online"])
        self.assertEqual(kiosk.guest.run("stat -c '%U %a' /var/lib/gatehand"), "gatehand 700\n")
