"""The agent as a service of the machine: it enrols, its watchdog, and a key that only this machine's TPM opens."""

import json
import unittest

from rig import report
from rig.case import MachineCase, packages
from rig.tpm import Tpm

_DROP_IN = "/run/systemd/system/gatehand.service.d"
_CREDENTIAL = "/etc/credstore.encrypted/gatehand.vault-key"


@unittest.skipIf(not packages(), "the machine is made without packages")
class Service(MachineCase):
    def enrolled(self, **settings):
        """A kiosk whose service has found its code in its own folder."""
        code = self.server().code("Lane 1")
        kiosk = self.kiosk(**settings) if settings else self.started_kiosk()
        if settings:
            kiosk.turn_on()
        kiosk.guest.write("/var/lib/gatehand/draft", code.payload.encode())
        kiosk.guest.run("cd /var/lib/gatehand && chown gatehand: draft && chmod 600 draft && mv draft enrolment.json")
        self.assertEqual(kiosk.door()["unique_serial"], code.serial)
        kiosk.guest.run("until ! test -e /var/lib/gatehand/enrolment.json; do sleep 0.2; done", 60)
        return kiosk, code

    def test_an_agent_that_stands_still_is_started_again(self):
        kiosk, code = self.enrolled()
        kiosk.guest.run(
            f"mkdir -p {_DROP_IN} && printf '[Service]\\nWatchdogSec=20s\\nRestartSec=1s\\n' > {_DROP_IN}/test.conf"
            " && systemctl daemon-reload && systemctl restart gatehand",
            60,
        )
        before = kiosk.guest.run("systemctl show --property=MainPID --value gatehand").strip()
        kiosk.guest.run("systemctl kill --kill-who=main --signal=STOP gatehand")
        show = "systemctl show --property=MainPID --value gatehand"
        after = f'test "$({show})" != {before} && test "$({show})" != 0'
        kiosk.guest.run(f"until {after}; do sleep 0.5; done", 180)
        self.assertEqual(kiosk.door()["unique_serial"], code.serial)
        self.assertEqual(kiosk.guest.run("systemctl show --property=NRestarts --value gatehand").strip(), "1")

    def test_a_copied_disk_is_told_in_the_other_machine_and_may_be_taken_over(self):
        kiosk, code = self.enrolled(more=["-uuid", "6d1f0a3e-54c7-4f5e-9d0b-0c6a5b1e2f01"])
        self.assertNotIn("hardware", kiosk.told("status"))
        self.assertEqual(self.check(kiosk, "hardware"), "ok")
        kiosk.turn_off()
        other = self.kiosk(begins_with=kiosk.disk.path, more=["-uuid", "6d1f0a3e-54c7-4f5e-9d0b-0c6a5b1e2f02"])
        other.turn_on()
        self.assertEqual(other.told("status")["hardware"], "copied")
        self.assertEqual(self.check(other, "hardware"), "warning")
        report.say(f"a copied disk says: {' '.join(other.guest.run('systemctl show --property=StatusText --value gatehand').split())}")
        self.assertEqual(other.door()["unique_serial"], code.serial)
        other.told("vault", "adopt-hardware", "--yes")
        self.assertNotIn("hardware", other.told("status"))
        self.assertTrue(other.door()["online"])
        # The first machine's key is worth nothing now.
        other.turn_off()
        kiosk.turn_on()
        refused = kiosk.gatehand("info")
        self.assertEqual(refused.status, 17, str(refused))

    @staticmethod
    def check(kiosk, wanted):
        """What `gatehand check` finds of one thing."""
        done = kiosk.gatehand("check", "--json", seconds=120)
        checks = {one["id"]: one for one in json.loads(done.out)["checks"]}
        return checks[wanted]["verdict"]

    def test_a_key_in_the_tpm_outlives_a_reboot_and_a_cleared_tpm_costs_a_passphrase(self):
        folder = self.folder / "with-tpm"
        folder.mkdir()
        tpm = Tpm(folder)
        kiosk, code = self.enrolled(tpm=tpm)
        kiosk.guest.write("/root/passphrase", b"correct horse battery staple\n")
        kiosk.guest.run("chmod 600 /root/passphrase && systemctl stop gatehand", 60)
        said = kiosk.told("vault", "rekey", "--to", "credential", "--with-key", "tpm2", "--passphrase-file", "/root/passphrase", seconds=180)
        report.say(f"rekey says: {said}")
        kiosk.guest.run("test ! -e /var/lib/gatehand/vault.key")
        kiosk.guest.run(f"test -s {_CREDENTIAL} && systemctl start gatehand && sync", 120)
        self.assertEqual(kiosk.door()["unique_serial"], code.serial)
        # What somebody types beside the service has the same key.
        self.assertEqual(kiosk.told("info")["unique_serial"], code.serial)
        kiosk.told("roll")
        self.assertTrue(kiosk.door()["online"])
        kiosk.reboot()
        self.assertEqual(kiosk.door()["unique_serial"], code.serial)
        self.assertEqual(kiosk.guest.run("systemctl --failed --plain --no-legend"), "")

        # New firmware, that knows nothing of the old.
        kiosk.turn_off()
        tpm.clear()
        kiosk.turn_on()
        failed = kiosk.guest.run("systemctl --failed --plain --no-legend | cut -d ' ' -f 1; systemctl is-active gatehand || true")
        self.assertNotIn("\nactive\n", failed)
        kiosk.guest.run("systemctl stop gatehand", 60)
        refused = kiosk.gatehand("info")
        self.assertNotEqual(refused.status, 0)
        report.say(f"without its key: {' '.join(refused.err.split())}")
        again = ["vault", "recover", "--to", "credential", "--with-key", "tpm2", "--passphrase-file", "/root/passphrase"]
        kiosk.told(*again, seconds=180)
        kiosk.guest.run("systemctl start gatehand", 120)
        self.assertEqual(kiosk.door()["unique_serial"], code.serial)
