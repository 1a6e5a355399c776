"""Enrolment by keys alone, typed at the question on the machine's screen."""

from rig.case import MachineCase
from rig.kiosk import GERMAN, US


class Keyboard(MachineCase):
    def setUp(self):
        super().setUp()
        self.at = self.server()

    def enrol(self, form, scanner, layout, restart=False):
        code = self.at.code("Lane 1")
        kiosk = self.started_kiosk()
        if layout == "de":
            kiosk.set_layout("de")
            if restart:
                kiosk.reboot()
        shown = kiosk.enrol_by_keys(getattr(code, form), scanner, GERMAN if layout == "de" else US)
        self.assertNotIn(code.token, shown, "the screen shows the token")
        identity = kiosk.identity()
        self.assertEqual((identity["device_id"], identity["unique_serial"]), (code.device_id, code.serial))
        self.assertTrue(self.at.devices()[code.device_id]["initialized"])
        if restart:
            kiosk.reboot()
            self.assertEqual(kiosk.identity(), identity)
        self.assertEqual(kiosk.told("info")["device_id"], code.device_id)
        return shown

    def test_a_scanned_code_enrols(self):
        self.enrol("payload", US, "us")

    def test_a_scanned_link_enrols(self):
        self.enrol("link", US, "us")

    def test_a_us_scanner_at_a_german_kiosk_enrols_with_a_code_and_restarts_keep_both(self):
        self.assertIn("German", self.enrol("payload", US, "de", restart=True))

    def test_a_us_scanner_at_a_german_kiosk_enrols_with_a_link(self):
        self.assertIn("German", self.enrol("link", US, "de"))

    def test_a_german_scanner_at_a_us_kiosk_enrols_with_a_code(self):
        self.assertIn("German", self.enrol("payload", GERMAN, "us"))

    def test_a_german_scanner_at_a_us_kiosk_enrols_with_a_link(self):
        self.assertIn("German", self.enrol("link", GERMAN, "us"))

    def test_a_german_scanner_at_a_german_kiosk_enrols_with_a_code(self):
        self.enrol("payload", GERMAN, "de")
