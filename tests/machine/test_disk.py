"""The rig's own disk: pulling its plug loses what was not flushed, and nothing else."""

from rig.case import MachineCase


class Disk(MachineCase):
    def test_a_power_cut_loses_what_was_not_flushed_and_keeps_what_was(self):
        kiosk = self.started_kiosk(loses_power=True)
        # The file system's own flush, each 5 seconds, would be too early under emulation.
        kiosk.guest.run("mount -o remount,commit=600 / && fallocate -l 1M /root/direct && sync")
        kiosk.guest.run("echo kept > /root/flushed && sync /root/flushed /root")
        # In the machine's memory only.
        kiosk.guest.run("echo lost > /root/unflushed")
        # Past the machine's memory, so that it is at the disk, and in its cache only.
        kiosk.guest.run("dd if=/dev/urandom of=/root/direct bs=4k count=16 conv=notrunc oflag=direct")
        written = kiosk.guest.run("dd if=/root/direct iflag=direct bs=4k count=16 | sha256sum")
        kiosk.cut_power()
        kiosk.turn_on()
        self.assertEqual(kiosk.guest.run("cat /root/flushed"), "kept\n")
        self.assertEqual(kiosk.guest.run("cat /root/unflushed 2>/dev/null || true"), "")
        self.assertNotEqual(kiosk.guest.run("dd if=/root/direct iflag=direct bs=4k count=16 | sha256sum"), written)
