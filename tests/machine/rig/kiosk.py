"""A machine on which gatehand is the agent."""

import json
import shlex

from .keyboard import GERMAN, US
from .vm import Machine

HOME = "/var/lib/gatehand"
QUESTION = "Scan the QR code, paste the link, or type the server's address:"
ENROLLED = "This device is enrolled."


def command(*arguments):
    """A command line of gatehand for the shell in the guest, with the settings of its package."""
    return f"env GATEHAND_SETTINGS=/etc/gatehand/agent.toml gatehand {shlex.join(arguments)}"


class Kiosk(Machine):
    def gatehand(self, *arguments, seconds=60):
        """How a command of gatehand ended."""
        return self.guest.try_run(command(*arguments), seconds)

    def told(self, *arguments, seconds=60):
        """What a command of gatehand, which has to end well, prints as JSON."""
        done = self.gatehand(*arguments, "--json", seconds=seconds)
        if done.status != 0:
            raise AssertionError(f"gatehand {' '.join(arguments)}: {done}")
        return json.loads(done.out)

    def state(self):
        """What `status` knows, whatever that is."""
        done = self.gatehand("status", "--json")
        return json.loads(done.out) if done.out.strip() else json.loads(done.err.strip().splitlines()[-1])

    def door(self):
        """What the agent's door says once the server has answered."""
        status = "curl --silent --unix-socket /run/gatehand/kiosk.sock http://door/v1/status"
        said = self.guest.run(f"until {status} | grep '\"online\":true'; do sleep 0.2; done", 120)
        return json.loads(said.splitlines()[-1])

    def identity(self):
        """Who this device is, without asking anybody."""
        told = self.told("status")
        return {name: told[name] for name in ("server", "organizer", "device_id", "unique_serial", "name", "enrolled")}

    def set_layout(self, layout):
        """Sets the console's layout as Debian does it, and as it is set at each boot."""
        self.guest.run(
            f"sed -i 's/^XKBLAYOUT=.*/XKBLAYOUT=\"{layout}\"/' /etc/default/keyboard"
            " && rm -f /etc/console-setup/cached_* && setupcon --save-only && sync && systemctl restart keyboard-setup",
            90,
        )

    def enrol_by_keys(self, text, scanner=US, host=US):
        """Scans a code at the question on the screen; a person says yes if there is something to agree to."""
        self.console.wait(QUESTION, 90)
        self.keyboard.type(text + "\n", scanner)
        if scanner is not host:
            shown = self.console.wait("Answer yes or no:")
            self.keyboard.type("yes\n", host)
        else:
            shown = ""
        return shown + "\n" + self.console.wait(ENROLLED)


__all__ = ["ENROLLED", "GERMAN", "HOME", "QUESTION", "US", "Kiosk", "command"]
