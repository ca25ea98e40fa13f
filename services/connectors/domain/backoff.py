"""How long to wait before a task is tried again."""

from datetime import datetime

FIRST = 1.0  # seconds
LONGEST = 900.0
SHORTEST = 0.05


def pause(retries: int, *, draw: float, now: datetime, due_at: datetime | None) -> float:
    """Return the seconds until the next try: exponential with full jitter, and not beyond the due date.

    `retries` counts the pauses so far, from 0; `draw` is a random number from 0 to 1. A task that is not yet due gets
    a last try when it is.
    """
    seconds = draw * min(LONGEST, FIRST * 2.0 ** min(retries, 30))
    if due_at is not None and now < due_at:
        seconds = min(seconds, (due_at - now).total_seconds())
    return max(seconds, SHORTEST)
