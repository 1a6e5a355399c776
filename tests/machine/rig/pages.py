"""What a page for users says is typed in a booted machine."""

import pathlib
import re

_ROOT = pathlib.Path(__file__).resolve().parents[3]
_BLOCK = re.compile(r"<!-- in a booted machine: [^\n]* -->\n```sh\n(.*?)```", re.DOTALL)


def typed(page):
    """The commands, as they stand on the page."""
    blocks = _BLOCK.findall((_ROOT / page).read_text())
    assert blocks, f"{page} has no commands for a booted machine"
    return "".join(blocks)


def second_block(page):
    """What is typed next on the page, by which a server is set up."""
    return re.findall(r"^```sh\n(.*?)^```$", (_ROOT / page).read_text(), re.MULTILINE | re.DOTALL)[1]


def answer_yes(guest):
    """Nobody is there to answer apt."""
    guest.write("/etc/apt/apt.conf.d/90yes", b'APT::Get::Assume-Yes "true";\n')
