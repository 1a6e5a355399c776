"""A machine without a clock of its own: when it starts it is years ago, until a time server answers."""

import datetime

from rig import report
from rig.case import MachineCase
from rig.kiosk import QUESTION, command
from rig.ntp import TimeServer
from rig.waiting import until


class Clock(MachineCase):
    def start_years_ago(self, kiosk):
        self.time.close()
        kiosk.turn_on(wait=False)
        kiosk.guest.wait_until_it_answers(60 * self.speed.slowness)
        until(
            "the time's being waited for",
            lambda: "systemd-time-wait-sync.service" in kiosk.guest.run("systemctl list-jobs --plain --no-legend"),
            60 * self.speed.slowness,
        )
        # systemd sets a clock that shows an earlier time to the day on which it was built itself.
        shown = datetime.date.fromisoformat(kiosk.guest.run("date -u +%F").strip())
        report.say(f"without a time server the clock shows {shown}")
        self.assertLess(shown, datetime.date.today() - datetime.timedelta(days=7))
        kiosk.guest.run("date -u -s 2001-01-01")

    def test_no_certificate_is_judged_before_the_time_is_known(self):
        server = self.server()
        code = server.code("Lane 1")
        kiosk = self.kiosk(clock="2001-01-01T00:00:00")
        self.start_years_ago(kiosk)
        self.assertNotIn(QUESTION, kiosk.console.text())
        # Somebody who does not wait: the words name the clock, and the token stays.
        refused = kiosk.gatehand("init", "--payload", code.payload)
        self.assertEqual(refused.status, 9, str(refused))
        self.assertIn("clock", refused.err)
        report.say(f"init says: {' '.join(refused.err.split())}")
        self.assertEqual(server.front.believers, 0)
        self.assertIsNone(server.devices()[code.device_id]["initialized"])

        self.time = TimeServer()
        kiosk.enrol_by_keys(code.payload)
        self.assertGreater(self.time.answered, 0)
        identity = kiosk.identity()
        self.assertEqual(identity["unique_serial"], code.serial)

        # And once more, the time that was noted on the disk being gone.
        kiosk.guest.run("systemctl stop systemd-timesyncd && rm -f /var/lib/systemd/timesync/clock && sync")
        kiosk.pull()
        believers = server.front.believers
        self.start_years_ago(kiosk)
        self.assertEqual(kiosk.identity(), identity)
        # What is ordered after the time, as a unit of one's own may be.
        info = kiosk.guest.start(
            "systemd-run --quiet --wait --pipe --property=After=time-sync.target /bin/sh -c "
            + f"'{command('info', '--json')}'"
        )
        self.assertEqual(server.front.believers, believers)
        self.time = TimeServer()
        done = kiosk.guest.wait(info, 120)
        self.assertEqual(done.status, 0, str(done))
        self.assertGreater(server.front.believers, believers)
