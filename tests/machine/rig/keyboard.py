"""Keys of the machine's USB keyboard, pressed as a hand scanner or a person presses them.

A hand scanner sends keys, not characters: those that carry the characters on the layout it is set to."""

import time

# Between two changes of a key, in seconds. The keyboard is asked every 8 ms, and holds 16 changes.
PACE = 0.01

_PLACES = {
    "1234567890": "1 2 3 4 5 6 7 8 9 0".split(),
    "qwertyuiop": list("qwertyuiop"),
    "asdfghjkl": list("asdfghjkl"),
    "zxcvbnm": list("zxcvbnm"),
}


def _letters_and_digits():
    keys = {}
    for characters, places in _PLACES.items():
        for character, place in zip(characters, places, strict=True):
            keys[character] = (place,)
            if character.isalpha():
                keys[character.upper()] = ("shift", place)
    keys[" "], keys["\n"], keys["\t"] = ("spc",), ("ret",), ("tab",)
    return keys


def _us():
    keys = _letters_and_digits()
    plain = {
        "-": "minus", "=": "equal", "[": "bracket_left", "]": "bracket_right", ";": "semicolon", "'": "apostrophe",
        "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot", "/": "slash",
    }  # fmt: skip
    shifted = {
        "!": "1", "@": "2", "#": "3", "$": "4", "%": "5", "^": "6", "&": "7", "*": "8", "(": "9", ")": "0", "_": "minus",
        "+": "equal", "{": "bracket_left", "}": "bracket_right", ":": "semicolon", '"': "apostrophe", "~": "grave_accent",
        "|": "backslash", "<": "comma", ">": "dot", "?": "slash",
    }  # fmt: skip
    keys.update({character: (place,) for character, place in plain.items()})
    keys.update({character: ("shift", place) for character, place in shifted.items()})
    return keys


def _german():
    keys = _letters_and_digits()
    for one, other in ("yz", "zy"):
        keys[one], keys[one.upper()] = (other,), ("shift", other)
    plain = {"-": "slash", ",": "comma", ".": "dot", "+": "bracket_right", "#": "backslash", "<": "less"}
    shifted = {
        "!": "1", '"': "2", "$": "4", "%": "5", "&": "6", "/": "7", "(": "8", ")": "9", "=": "0", "?": "minus",
        ";": "comma", ":": "dot", "_": "slash", "*": "bracket_right", "'": "backslash", ">": "less",
    }  # fmt: skip
    alt_gr = {"{": "7", "[": "8", "]": "9", "}": "0", "\\": "minus", "@": "q", "~": "bracket_right", "|": "less"}
    keys.update({character: (place,) for character, place in plain.items()})
    keys.update({character: ("shift", place) for character, place in shifted.items()})
    keys.update({character: ("alt_r", place) for character, place in alt_gr.items()})
    return keys


US, GERMAN = _us(), _german()


class Keyboard:
    def __init__(self, qmp, slowness=1):
        self._qmp = qmp
        self._pace = PACE * slowness

    def type(self, text, layout=US):
        """Presses the keys that carry these characters on `layout`, as fast as a scanner does."""
        for character in text:
            keys = layout[character]
            names = [{"type": "qcode", "data": key} for key in keys]
            # Each key's press and release takes the hold time.
            self._qmp.execute("send-key", keys=names, **{"hold-time": max(1, round(self._pace * 1000))})
            time.sleep(self._pace * 2 * len(keys))
