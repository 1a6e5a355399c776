"""What a run leaves for its log."""

import sys

# In the order in which they came.
lines = []


def say(line):
    """Tells it at once, and in the log."""
    lines.append(line)
    print(f"    {line}", file=sys.stderr, flush=True)
