"""Counting calls against HubSpot's rolling limits."""

from collections import deque
from time import monotonic


class Window:
    """Calls of the last so many seconds, to hold against a limit."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._calls: deque[float] = deque()

    def full(self, limit: int | None) -> bool:
        """Count a call unless the limit is reached; True where it is."""
        now = monotonic()
        while self._calls and self._calls[0] <= now - self._seconds:
            self._calls.popleft()
        if limit is not None and len(self._calls) >= limit:
            return True
        self._calls.append(now)
        return False

    def clear(self) -> None:
        """Begin anew."""
        self._calls.clear()

    def left(self, limit: int) -> int:
        """How many more calls fit."""
        return max(0, limit - len(self._calls))
