"""Machines on which nothing can be kept: words, and no token is used."""

from rig import report
from rig.case import MachineCase


class NoRoomToKeep(MachineCase):
    def refused(self, words, kernel_arguments):
        server = self.server()
        code = server.code("Lane 1")
        kiosk = self.kiosk(kernel_arguments=kernel_arguments)
        kiosk.turn_on()
        refused = kiosk.gatehand("init", "--payload", code.payload)
        self.assertEqual(refused.status, 10, str(refused))
        report.say(f"init says: {refused.err.strip()}")
        self.assertIn(words, refused.err)
        shown = kiosk.console.wait(words)
        self.assertNotIn(code.token, shown)
        self.assertEqual(server.front.callers, 0)
        self.assertIsNone(server.devices()[code.device_id]["initialized"])

    def test_a_volatile_overlay_over_the_root_is_refused_in_words(self):
        self.refused("an overlay, at /, that keeps changes in a tmpfs in memory", ["overlayroot=tmpfs"])

    def test_a_root_that_can_only_be_read_is_refused_in_words(self):
        self.refused("ead-only", ["ro", "systemd.mask=systemd-remount-fs.service"])
