"""One image for many kiosks: each takes its own line of the list on its boot partition, when it first boots."""

import re

from rig import report
from rig.case import WITHOUT_A_PERSON, MachineCase, the_image
from rig.disk import with_boot_files
from rig.kiosk import QUESTION
from rig.server import URL
from rig.waiting import until

# What enrols without any rights, and what sets the host name and removes the list without a network.
_UNIT, _END = "gatehand-first-boot.service", "gatehand-first-boot-end.service"
_LIST = "gatehand-enrolment.csv"
_IN_THE_MACHINE = f"/efi/{_LIST}"


class FirstBoot(MachineCase):
    def setUp(self):
        super().setUp()
        self.at = self.server()
        self.at.gate("north", "North")
        self.codes = [self.at.code("Lane 1"), self.at.code("Lane 2", "north"), self.at.code("Lane 3")]

    def list_of(self, *serials):
        """A line for each of these, in the order of the codes; all are meant for the gate North."""
        lines = ["serial,server,token,host_name,gate"]
        for number, (serial, code) in enumerate(zip(serials, self.codes), 1):
            lines.append(f"{serial},{URL},{code.token},lane-{number},North")
        return "\n".join(lines) + "\n"

    def initialized(self):
        """The serials of the devices whose token was redeemed."""
        devices = self.at.devices().values()
        return {device["unique_serial"] for device in devices if device["initialized"] and not device["revoked"]}

    def wait_until_first_boot_ended(self, kiosk):
        """Until both services are done or given up, and nothing of them is to come."""

        def ended():
            states = kiosk.guest.run(f"systemctl show -P ActiveState {_UNIT} {_END}; systemctl list-jobs --plain --no-legend")
            return "gatehand-first-boot" not in states and not re.search("^(de)?activating$", states, re.MULTILINE)

        until("the end of the first boot's services", ended, 120 * self.speed.slowness, 0.5)

    def check_is(self, kiosk, code, number):
        identity = kiosk.identity()
        self.assertEqual((identity["device_id"], identity["unique_serial"]), (code.device_id, code.serial))
        self.assertEqual(kiosk.guest.run("hostname; cat /etc/hostname"), f"lane-{number}\nlane-{number}\n")
        self.assertNotIn(_LIST, kiosk.guest.run("mountpoint -q /efi && ls /efi"))
        self.assertEqual(kiosk.guest.run("stat -c '%U:%G %a' /sys/devices/virtual/dmi/id/product_serial"), "root:root 400\n")
        self.assertEqual(kiosk.guest.run("stat -c '%U %a' /var/lib/gatehand /var/lib/gatehand/vault.db"), "gatehand 700\ngatehand 600\n")
        self.assertEqual(kiosk.told("info")["unique_serial"], code.serial)

    def test_kiosks_of_one_image_are_each_the_device_of_their_own_line(self):
        listed = self.list_of("GH-0001", "GH-0002", "GH-0003")
        image = with_boot_files(the_image().path, self.folder / "disk.raw", {_LIST: listed})
        ids = set()
        # Both stay on: neither takes anything from the other.
        kiosks = []
        for number in (2, 3):
            kiosk = self.kiosk(begins_with=image, serial=f"GH-000{number}")
            kiosk.turn_on()
            self.wait_until_first_boot_ended(kiosk)
            self.check_is(kiosk, self.codes[number - 1], number)
            ids.add(kiosk.guest.run("cat /etc/machine-id"))
            kiosks.append(kiosk)
        self.assertEqual(len(ids), 2)
        self.assertEqual(self.initialized(), {code.serial for code in self.codes[1:]})
        self.assertEqual(kiosks[0].told("status")["gate"]["name"], "North")
        # What the server says otherwise than the list is told to whoever looks.
        words = [kiosk.guest.run(f"journalctl -u {_UNIT} -o cat") for kiosk in kiosks]
        self.assertNotIn("The list says gate", words[0])
        self.assertIn("The list says gate North, the server none", words[1])
        for kiosk, told, code in zip(kiosks, words, self.codes[1:]):
            self.assertNotIn(code.token, told, "the journal shows the token")
            self.assertEqual(kiosk.told("info")["unique_serial"], code.serial)

    def test_a_kiosk_that_is_not_in_the_list_says_so_and_still_asks_for_a_code(self):
        kiosk = self.started_kiosk()
        serial = kiosk.guest.run("cat /sys/class/dmi/id/product_serial").strip()
        kiosk.guest.write(_IN_THE_MACHINE, self.list_of("GH-0001", "GH-0002", "GH-0003").encode())
        kiosk.guest.try_run(f"systemctl start {_UNIT}", 120)
        self.wait_until_first_boot_ended(kiosk)
        words = kiosk.guest.run(f"journalctl -u {_UNIT} -o cat")
        said = next(line for line in words.splitlines() if serial in line)
        report.say(f"a kiosk that is not in the list says: {' '.join(said.split())}")
        self.assertIn(f"none of its 3 lines is for the serial {serial}", said)
        # It is not tried again and again, and a person can enrol the kiosk instead.
        self.assertEqual(set(kiosk.guest.run(f"systemctl show -p ActiveState -p NRestarts {_UNIT}").split()), {"ActiveState=failed", "NRestarts=0"})
        self.assertEqual((self.at.front.callers, self.initialized()), (0, set()))
        self.assertIn(_LIST, kiosk.guest.run("ls /efi"))
        kiosk.enrol_by_keys(self.codes[0].payload)
        self.assertEqual(self.initialized(), {self.codes[0].serial})
        self.assertEqual(kiosk.guest.run("hostname"), "kiosk\n")

    def power_fails(self, hold, is_reached):
        """Begins with the list on the boot partition, and pulls the plug where `is_reached`. The kiosk after it."""
        kiosk = self.started_kiosk(loses_power=True, kernel_arguments=WITHOUT_A_PERSON)
        serial = kiosk.guest.run("cat /sys/class/dmi/id/product_serial").strip()
        kiosk.guest.run("systemctl stop gatehand-enrol")
        kiosk.guest.write(_IN_THE_MACHINE, self.list_of("GH-0001", serial, "GH-0003").encode())
        kiosk.guest.run("sync")
        hold(kiosk)
        kiosk.guest.start(f"systemctl start {_UNIT}")
        until("the moment of the cut", lambda: is_reached(kiosk), 120 * self.speed.slowness, 0.1)
        kiosk.cut_power()
        self.at.front.answers.set()
        self.assertEqual(self.initialized(), {self.codes[1].serial})
        kiosk.turn_on(wait=False)
        kiosk.wait_for_network()
        kiosk.guest.try_run("systemctl is-system-running --wait", 90)
        self.wait_until_first_boot_ended(kiosk)
        self.check_is(kiosk, self.codes[1], 2)
        # No other token was spent, and no other device was made.
        self.assertEqual(self.initialized(), {self.codes[1].serial})
        self.assertEqual(set(self.at.devices()), {code.device_id for code in self.codes})

    def test_the_power_fails_after_the_token_is_spent_and_before_the_answer_came(self):
        self.power_fails(lambda _: self.at.front.answers.clear(), lambda _: self.initialized())

    def test_the_power_fails_after_the_key_is_safe_and_before_the_list_is_removed(self):
        def hold(kiosk):
            # What is written before the list is removed: a pipe that nobody reads, until the power fails.
            draft = "/etc/.hostname.gatehand"
            kiosk.guest.run(f"touch {draft} && sync && mkfifo /run/nobody && mount --bind /run/nobody {draft}")

        def is_reached(kiosk):
            if kiosk.state().get("state") != "enrolled":
                return False
            self.assertIn(_LIST, kiosk.guest.run("ls /efi"))
            return "activating" in kiosk.guest.run(f"systemctl show -P ActiveState {_END}")

        self.power_fails(hold, is_reached)
