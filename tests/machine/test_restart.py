"""Restarts, orderly ones: of services and of the machine."""

from rig.case import MachineCase


class Restart(MachineCase):
    def test_the_device_stays_itself_through_restarts(self):
        server = self.server()
        code = server.code("Lane 1")
        kiosk = self.started_kiosk()
        kiosk.enrol_by_keys(code.payload)
        identity = kiosk.identity()
        for again in (self.services, lambda one: one.reboot(), self.off_and_on):
            again(kiosk)
            self.assertEqual(kiosk.identity(), identity)
            self.assertEqual(kiosk.told("info")["unique_serial"], code.serial)
        # An enrolled kiosk asks nobody for a code.
        kiosk.guest.run("systemctl restart gatehand-enrol || true")
        self.assertNotEqual(kiosk.guest.try_run("systemctl is-active gatehand-enrol").out, "active\n")
        self.assertEqual(len(server.devices()), 1)

    def services(self, kiosk):
        units = kiosk.guest.run("systemctl list-units --plain --no-legend 'gatehand*' | cut -d ' ' -f 1").split()
        for unit in units:
            kiosk.guest.run(f"systemctl restart {unit} || true")

    def off_and_on(self, kiosk):
        kiosk.turn_off()
        kiosk.turn_on()
