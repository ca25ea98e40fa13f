"""When a call is worth another try and how long to wait first; pure, with the dice handed in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRIED_STATUSES = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Retries:
    """How patient a client is.

    `attempts`     tries in all; 1 never repeats.
    `first_wait`   seconds before the second try, doubled from then on, up to `longest_wait`.
    `longest_wait` seconds; a server that asks for more (Retry-After) is not waited for, and the error is raised.
    """

    attempts: int = 5
    first_wait: float = 0.2
    longest_wait: float = 30.0

    def wait_before(self, attempt: int, *, dice: Callable[[], float], asked: float | None = None) -> float | None:
        """Return the seconds to wait before try number `attempt` (the second is 2), or None to give up.

        `asked` is what the server asked for; `dice` returns 0 <= x < 1, so that many clients don't come back at once.
        """
        if attempt > self.attempts or (asked is not None and asked > self.longest_wait):
            return None
        own = min(self.first_wait * 2.0 ** (attempt - 2), self.longest_wait)
        return max(asked or 0.0, own * (0.5 + dice() / 2))


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (as a number or as a date); None when it says nothing."""
    text = headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
