"""Waiting for a condition, never for a time alone."""

import time


class TooLate(AssertionError):
    """Something did not come about within its time."""


def until(what, condition, seconds, pause=0.1):
    """The first true value of `condition`, which is asked again and again for so many seconds."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise TooLate(f"{what}: not within {seconds:.0f} s")
        time.sleep(pause)
