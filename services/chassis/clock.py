"""Time as something that is handed in, so that a test can move it."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the time, aware and in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time, aware and in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that moves only when it is told to."""

    def __init__(self, start: datetime) -> None:
        """Start at `start`, which must be aware."""
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the time, aware and in UTC."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move on."""
        self._now += by
