"""Waiting for a condition, with an end."""

import time
from collections.abc import Callable

FIRST_PAUSE = 0.005
LONGEST_PAUSE = 0.05


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Ask `condition` again and again for at most `seconds`; say whether it came true. What it raises ends the wait."""
    end = time.monotonic() + seconds
    pause = FIRST_PAUSE
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
    return True
