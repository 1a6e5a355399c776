"""What a run leaves for its log: figures beside the tests' names."""

import sys

# How long each boot took, in seconds.
boots = []
# Lines of the log, in the order in which they came.
lines = []


def say(line):
    """Tells it at once, and in the log."""
    lines.append(line)
    print(f"    {line}", file=sys.stderr, flush=True)
