"""What docs/SCALING.md says is done as it stands: its files, its commands, and what is copied between machines."""

import pathlib
import re
from dataclasses import dataclass

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs/SCALING.md"

_MARKED = re.compile(r"<!-- ([^\n]*) -->\n(?:```\w*\n(.*?)^```$)?", re.DOTALL | re.MULTILINE)
_COMMANDS = re.compile(r"in the cluster, on (.*): tests/cluster/rig/page\.py")
_COPY = re.compile(r"copy (\S+) from (\S+) to (\S+)(?: as (\S+))?")
_FILE = re.compile(r"(/\S+) on (.*)")


@dataclass
class File:
    path: str
    machines: list[str]
    text: str


@dataclass
class Commands:
    machines: list[str]
    text: str


@dataclass
class Copy:
    path: str
    machine: str
    to: str
    to_path: str


def steps():
    """All of it, in the page's order."""
    for words, text in _MARKED.findall(PAGE.read_text()):
        if found := _COMMANDS.fullmatch(words):
            yield Commands(found[1].split(", "), text)
        elif found := _COPY.fullmatch(words):
            yield Copy(found[1], found[2], found[3], found[4] or found[1])
        elif found := _FILE.fullmatch(words):
            yield File(found[1], found[2].split(", "), text)
        else:
            raise AssertionError(f"{PAGE.name} is not understood: {words}")


def packages():
    """What is typed to install packages, on whatever machine."""
    return "".join(step.text for step in steps() if isinstance(step, Commands) and step.machines == ["all"])


def filled(text, **words):
    """A text with what its words in capitals stand for."""
    return re.sub(r"\b(" + "|".join(words) + r")\b", lambda found: words[found[1]], text)
