"""The machine as it comes up."""

from rig import report
from rig.case import MachineCase
from rig.kiosk import QUESTION
from rig.tpm import Tpm


class Boot(MachineCase):
    def test_every_service_comes_up_and_the_kiosk_asks_for_its_code(self):
        kiosk = self.kiosk()
        kiosk.turn_on()
        self.assertEqual(kiosk.guest.run("systemctl --failed --plain --no-legend"), "")
        kiosk.console.wait(QUESTION)
        report.say(kiosk.guest.run("uname -sr; . /etc/os-release; echo $PRETTY_NAME").replace("\n", ", ").rstrip(", "))

    def test_firmware_starts_the_image_as_it_does_on_real_hardware(self):
        kiosk = self.kiosk(by_firmware=True)
        kiosk.turn_on()
        self.assertEqual(kiosk.guest.run("systemctl --failed --plain --no-legend"), "")
        kiosk.guest.run("test -d /sys/firmware/efi && findmnt /efi")
        kiosk.console.wait(QUESTION)

    def test_two_machines_of_one_image_are_two_machines(self):
        ids = set()
        for _ in range(2):
            kiosk = self.kiosk()
            kiosk.turn_on()
            ids.add(kiosk.guest.run("cat /etc/machine-id"))
            kiosk.pull()
        self.assertEqual(len(ids), 2)

    def test_its_kernel_knows_usb_keyboards_and_a_tpm(self):
        folder = self.folder / "with-tpm"
        folder.mkdir()
        kiosk = self.kiosk(tpm=Tpm(folder))
        kiosk.turn_on()
        kiosk.guest.run("test -c /dev/tpmrm0 && cat /sys/class/tpm/tpm0/tpm_version_major")
        self.assertIn("QEMU USB Keyboard", kiosk.guest.run("cat /proc/bus/input/devices"))
