"""Enrolment by keys alone, typed at the question on the machine's screen."""

from rig.case import MachineCase
from rig.kiosk import GERMAN, HOME, US


class Keyboard(MachineCase):
    def setUp(self):
        super().setUp()
        self.at = self.server()
        self.names = 0

    def enrol(self, kiosk, form, scanner, host):
        self.names += 1
        code = self.at.code(f"Lane {self.names}")
        shown = kiosk.enrol_by_keys(getattr(code, form), scanner, host)
        self.assertNotIn(code.token, shown, "the screen shows the token")
        if scanner is not host:
            # Which layouts it names goes by what else would fit.
            self.assertIn("It seems that the scanner", shown)
        identity = kiosk.identity()
        self.assertEqual((identity["device_id"], identity["unique_serial"]), (code.device_id, code.serial))
        self.assertTrue(self.at.devices()[code.device_id]["initialized"])
        self.assertEqual(kiosk.told("info")["device_id"], code.device_id)
        return identity

    def give_up(self, kiosk):
        """So that the next code is asked for on the same machine: its folder is as at first."""
        kiosk.guest.run(
            f"systemctl stop gatehand-enrol; find {HOME} -mindepth 1 -delete"
            # What the screen showed before is no answer to what is typed next.
            " && printf '\\033[2J\\033[H' > /dev/tty1 && systemctl start gatehand-enrol"
        )

    def test_scanned_codes_and_links_enrol_at_a_us_kiosk(self):
        kiosk = self.started_kiosk()
        for number, (form, scanner) in enumerate([("payload", US), ("link", US), ("payload", GERMAN), ("link", GERMAN)]):
            with self.subTest(form=form, scanner="US" if scanner is US else "German"):
                if number:
                    self.give_up(kiosk)
                self.enrol(kiosk, form, scanner, US)

    def test_scanned_codes_and_links_enrol_at_a_german_kiosk_and_a_restart_keeps_both(self):
        kiosk = self.started_kiosk()
        kiosk.set_layout("de")
        for number, (form, scanner) in enumerate([("payload", GERMAN), ("link", US), ("payload", US)]):
            with self.subTest(form=form, scanner="US" if scanner is US else "German"):
                if number:
                    self.give_up(kiosk)
                identity = self.enrol(kiosk, form, scanner, GERMAN)
        kiosk.reboot()
        self.assertEqual(kiosk.identity(), identity)
        # The layout that was set is that of the next code, too.
        self.give_up(kiosk)
        self.enrol(kiosk, "payload", GERMAN, GERMAN)
