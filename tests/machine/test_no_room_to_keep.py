"""Machines on which nothing can be kept: words, and no token is used."""

from rig import report
from rig.case import MachineCase


class NoRoomToKeep(MachineCase):
    def refused(self, kiosk, words):
        server = self.server()
        code = server.code("Lane 1")
        refused = kiosk.gatehand("init", "--payload", code.payload)
        self.assertEqual(refused.status, 10, str(refused))
        report.say(f"init says: {' '.join(refused.err.split())}")
        self.assertIn(words, refused.err)
        self.assertEqual(server.front.callers, 0)
        self.assertIsNone(server.devices()[code.device_id]["initialized"])

    def test_a_volatile_overlay_over_the_root_is_refused_in_words(self):
        words = "an overlay, at /, that keeps changes in a tmpfs in memory"
        kiosk = self.kiosk(kernel_arguments=["overlayroot=tmpfs"])
        kiosk.turn_on()
        self.assertEqual(kiosk.guest.run("findmnt -n -o FSTYPE /"), "overlay\n")
        self.refused(kiosk, words)
        # Before anybody scans a code.
        kiosk.console.wait(words)

    def test_a_root_that_can_only_be_read_is_refused_in_words(self):
        kiosk = self.kiosk(kernel_arguments=["ro", "systemd.mask=systemd-remount-fs.service"])
        # Debian's own services fail there again and again, and so the boot has no end.
        kiosk.turn_on(wait=False)
        kiosk.guest.wait_until_it_answers(60 * self.speed.slowness)
        self.assertNotEqual(kiosk.guest.try_run("touch /root/file").status, 0)
        self.refused(kiosk, "ead-only")
