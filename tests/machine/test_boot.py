"""The machine as it comes up."""

from rig import report
from rig.case import MachineCase
from rig.kiosk import QUESTION
from rig.tpm import Tpm


class Boot(MachineCase):
    def test_every_service_comes_up_and_the_kiosk_asks_for_its_code(self):
        folder = self.folder / "with-tpm"
        folder.mkdir()
        kiosk = self.kiosk(tpm=Tpm(folder))
        kiosk.turn_on()
        self.assertEqual(kiosk.guest.run("systemctl --failed --plain --no-legend"), "")
        kiosk.console.wait(QUESTION)
        report.say(kiosk.guest.run("uname -sr; . /etc/os-release; echo $PRETTY_NAME").replace("\n", ", ").rstrip(", "))
        self.check_hid(kiosk)
        self.check_tpm(kiosk)

    def check_hid(self, kiosk):
        """The keyboard as an input device and raw; and devices of a program's own can be made."""
        self.assertIn("QEMU USB Keyboard", kiosk.guest.run("cat /proc/bus/input/devices"))
        self.assertIn("QEMU USB Keyboard", kiosk.guest.run("cat /sys/class/hidraw/hidraw*/device/uevent"))
        kiosk.guest.run("test -c /dev/hidraw0 && modprobe uhid && test -c /dev/uhid")

    def check_tpm(self, kiosk):
        """It seals what only this machine opens, for as long as it keeps its state."""
        kiosk.guest.run("test -c /dev/tpmrm0 && grep -qx 2 /sys/class/tpm/tpm0/tpm_version_major")
        creds = "systemd-creds --with-key=tpm2 --name=key"
        kiosk.guest.run(f"printf secret | {creds} encrypt - /root/sealed", 120)
        self.assertEqual(kiosk.guest.run("systemd-creds --name=key decrypt /root/sealed -", 120), "secret")

    def test_firmware_starts_the_image_as_it_does_on_real_hardware(self):
        kiosk = self.kiosk(by_firmware=True)
        kiosk.turn_on()
        self.assertEqual(kiosk.guest.run("systemctl --failed --plain --no-legend"), "")
        kiosk.guest.run("test -d /sys/firmware/efi && findmnt /efi")
        kiosk.console.wait(QUESTION)
