"""What stands on the machine's screen."""

from .waiting import TooLate, until


def _text(line):
    """Of the font's places those of ASCII are the characters' own."""
    return "".join(chr(place) if 32 <= place < 127 else "?" for place in line).rstrip()


class Console:
    """The first virtual terminal, where a kiosk asks for its code."""

    def __init__(self, guest, slowness=1):
        self._guest = guest
        self._slowness = slowness

    def text(self):
        """The lines of the screen. A line that was too long for it is in several."""
        # The screen's own file, for the terminal's is closed to us while a service ends on it. It begins with
        # the screen's size and the cursor's place; each place on it is a byte of the font and one of its colours.
        told = self._guest.read("/dev/vcsa1")
        columns, screen = told[1], told[4::2]
        lines = [_text(screen[at : at + columns]) for at in range(0, len(screen), columns)]
        return "\n".join(lines).rstrip("\n")

    def wait(self, words, seconds=60):
        """Waits until these words stand on the screen, wherever it broke them, and returns all of it."""
        wanted = words.replace(" ", "")

        def shown():
            text = self.text()
            return text if wanted in text.replace("\n", "").replace(" ", "") else None

        try:
            return until(f"“{words}” on the screen", shown, seconds * self._slowness, 0.2)
        except TooLate as error:
            raise TooLate(f"{error}; it shows:\n{self.text()}") from None
