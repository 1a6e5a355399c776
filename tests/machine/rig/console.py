"""What stands on the machine's screen."""

from .waiting import TooLate, until


class Console:
    """The first virtual terminal, where a kiosk asks for its code."""

    def __init__(self, guest, slowness=1):
        self._guest = guest
        self._slowness = slowness

    def text(self):
        """The lines of the screen. A line that was too long for it is in several."""
        # The screen's own file tells its size; the terminal's would be closed to us while a service ends on it.
        size = "od -An -tu1 -N2 /dev/vcsa1"
        # A byte a character, of the font and so only for ASCII the character's own; nothing between two lines.
        told = self._guest.run(f"{size} && LC_ALL=C tr '\\200-\\377' '?' < /dev/vcs1")
        size, screen = told.split("\n", 1)
        columns = int(size.split()[1])
        lines = [screen[at : at + columns].rstrip() for at in range(0, len(screen), columns)]
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
