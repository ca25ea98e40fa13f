"""How a vendor misbehaves right now: settings that a test turns at run time, and the seeded dice behind them."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveInt

Share = Annotated[float, Field(ge=0, le=1)]
"""A share of calls: 0 none, 1 all; `true` counts as 1."""


class RateLimit(BaseModel):
    """Refuse a share of calls with the vendor's throttling answer, whose Retry-After takes one of several forms."""

    model_config = ConfigDict(extra="forbid")

    rate: Share = 0
    retry_after: Literal["seconds", "date", "absurd", "negative", "none"] = "seconds"
    seconds: PositiveInt = 1
    policy: Literal["SECONDLY", "TEN_SECONDLY_ROLLING", "DAILY"] = "TEN_SECONDLY_ROLLING"

    def header(self) -> str | None:
        """The Retry-After value, or None where the vendor sends none."""
        match self.retry_after:
            case "seconds":
                return str(self.seconds)
            case "date":
                return format_datetime(datetime.now(UTC) + timedelta(seconds=self.seconds), usegmt=True)
            case "absurd":
                return str(10 * 365 * 24 * 3600)
            case "negative":
                return f"-{self.seconds}"
            case "none":
                return None


def _as_rate_limit(value: object) -> object:
    return {"rate": value} if isinstance(value, int | float) else value


class Knobs(BaseModel):
    """What every vendor can be made to do.

    `hang` takes the call, does nothing and never answers; `hang_after` does the work first. `drop_reply` does the
    work and closes the connection. `lie` claims success and changes nothing. `only` narrows the faults to calls whose
    "METHOD path" (mail: the recipient) contains it; `times` ends them after so many faulty calls.
    """

    model_config = ConfigDict(extra="forbid")

    seed: int = 0
    latency: NonNegativeFloat = 0
    fail_5xx: Share = 0
    hang: Share = 0
    hang_after: Share = 0
    drop_reply: Share = 0
    lie: Share = 0
    only: str = ""
    times: NonNegativeInt | None = None


class HttpKnobs(Knobs):
    """Adds throttling: a number is the share of calls to refuse, an object also says how."""

    rate_limit: Annotated[RateLimit, BeforeValidator(_as_rate_limit)] = RateLimit()


class HubSpotKnobs(HttpKnobs):
    """Adds the search index's lag in seconds, real rate limits (none unless set), and a cap on page sizes."""

    search_lag: NonNegativeFloat = 0.5
    ten_secondly: PositiveInt | None = None
    search_secondly: PositiveInt | None = None
    page_cap: PositiveInt | None = None


class S3Knobs(HttpKnobs):
    """As every vendor over HTTP; `lie` concerns deletions alone."""


class OpenAIKnobs(HttpKnobs):
    """Adds `quota` (a share of calls refused as nobody's patience helps), `retry_after_ms` and a cap on page sizes."""

    quota: Share = 0
    retry_after_ms: NonNegativeInt | None = None
    page_cap: PositiveInt | None = None


class StripeKnobs(HttpKnobs):
    """Adds the search's lag in seconds, a cap on page sizes, and the seconds that a step of a job takes."""

    search_lag: NonNegativeFloat = 0.5
    page_cap: PositiveInt | None = None
    job_seconds: NonNegativeFloat = 0


class SmtpKnobs(Knobs):
    """Adds `fail_4xx` (a share) and `greylist`: how many first tries for each recipient are put off."""

    fail_4xx: Share = 0
    greylist: NonNegativeInt = 0


KINDS: dict[str, type[Knobs]] = {
    "hubspot": HubSpotKnobs,
    "hubspot-us": HubSpotKnobs,
    "s3": S3Knobs,
    "openai": OpenAIKnobs,
    "stripe": StripeKnobs,
    "smtp": SmtpKnobs,
}
_FAULTS = ("rate_limit", "fail_4xx", "fail_5xx", "hang", "hang_after", "drop_reply", "lie", "quota")


K = TypeVar("K", bound=Knobs)


@dataclass(frozen=True)
class Fate:
    """What befalls one call."""

    rate_limit: bool = False
    fail_4xx: bool = False
    fail_5xx: bool = False
    hang: bool = False
    hang_after: bool = False
    drop_reply: bool = False
    lie: bool = False
    quota: bool = False


class Dial(Generic[K]):
    """One vendor's current knobs and their dice. Safe for threads."""

    def __init__(self, kind: type[K]) -> None:
        self._kind = kind
        self._lock = threading.Lock()
        self._happened: Counter[str] = Counter()
        self.turn({})

    @property
    def happened(self) -> dict[str, int]:
        """How many calls each fault has befallen since the start, by name; turning knobs leaves the count alone."""
        with self._lock:
            return dict(self._happened)

    def turn(self, wanted: dict[str, Any]) -> K:
        """Replace all knobs (what is not named goes back to its default) and start the dice from the seed."""
        knobs = self._kind.model_validate(wanted)
        with self._lock:
            self.knobs = knobs
            self._dice = random.Random(knobs.seed)  # noqa: S311 (repeatable faults, not secrets)
            self._left = knobs.times
        return knobs

    def fate(self, call: str) -> Fate:
        """Throw the dice for one call, described as the knob `only` expects it."""
        with self._lock:
            if self._left == 0 or self.knobs.only not in call:
                return Fate()
            thrown = dict(self._throw())
            fate = Fate(**thrown)
            self._happened.update(name for name, befell in thrown.items() if befell)
            if self._left is not None and fate != Fate():
                self._left -= 1
            return fate

    def _throw(self) -> Iterator[tuple[str, bool]]:
        for fault in _FAULTS:
            setting = getattr(self.knobs, fault, 0)
            share = setting.rate if isinstance(setting, RateLimit) else setting
            # One throw per fault, whatever its share, so that turning one knob leaves the others' luck alone.
            yield fault, self._dice.random() < share
