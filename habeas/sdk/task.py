"""What a processor is given: the task at hand and the hands to work with."""

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from habeas.sdk.outcome import Identity, Item
from habeas.vocabulary import Action, CountedFrom, Right


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Data of `category` must be kept for `months` (of the calendar) from the day that `counted_from` names.

    `ground` is a machine word for the law or the contract behind it. Rules come from the operator's retention file;
    the engine applies them to `Item.dated`, and a processor has no law in it.
    """

    category: str
    ground: str
    months: int
    counted_from: CountedFrom = CountedFrom.DATE


@dataclass(frozen=True, slots=True)
class Correction:
    """Replace `old` by `new` in `field`, a key of the data register such as `contact.email`.

    `old` is None where the subject did not say what stands there now: then whatever stands there is replaced.
    """

    field: str
    old: str | None = dataclasses.field(default=None, repr=False)
    new: str = dataclasses.field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written to one item: those corrections whose field it has and whose old value it still holds."""

    item: Item
    corrections: Sequence[Correction] = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True)
class Task:
    """One request at one processor: what to do, about whom, until when.

    `id`, `request_id`, `processor`  text that may be logged.
    `action`       what is to be done here; `right` what the subject asked for, of which it is a part.
    `identities`   those of types that the manifest accepts; empty where a hold has ended: then the items are known
                   from the hold alone.
    `livemode`     False for a rehearsal against a vendor's test environment.
    `due_at`       the statutory deadline; `not_after` the moment after which the message was not to be accepted: it was
                   by then. Aware, and no matter of the processor: a late task is done like any other.
    `retention`    what must be kept; the engine sees to it.
    `corrections`  of a rectification; `purposes` of a stop.
    """

    id: str
    request_id: str
    processor: str
    action: Action
    right: Right
    identities: Sequence[Identity] = field(repr=False)
    livemode: bool = True
    due_at: datetime | None = None
    not_after: datetime | None = None
    retention: Sequence[RetentionRule] = ()
    corrections: Sequence[Correction] = field(default=(), repr=False)
    purposes: Sequence[str] = ()


class Context(Protocol):
    """The engine's hand in a processor's work: passed to every method as `ctx`."""

    task: Task
    attempt: int  # 1 for the first try
    deadline: float  # seconds on the event loop's clock by which the method must return
    log: logging.LoggerAdapter[logging.Logger]  # task and processor are added; never log personal data

    @property
    def right(self) -> Right:
        """The right that the subject exercises."""

    @property
    def identities(self) -> Sequence[Identity]:
        """Those identities of the subject that this processor accepts."""

    @property
    def livemode(self) -> bool:
        """False for a rehearsal against a vendor's test environment."""

    def now(self) -> datetime:
        """Return the time, aware and in UTC."""

    def today(self) -> date:
        """Return the date in UTC."""

    def key(self, step: str, item: Item | None = None) -> UUID:
        """Return the idempotency key of `step` (a word of yours) for `item`: the same on every attempt at this task.

        A UUID of version 5 that tells nothing of the subject, fit for a header. What verification finds again is acted
        on in a further pass, with keys of its own: to the first ones the vendor would only repeat what it said.
        """

    def cancelled(self) -> bool:
        """Whether to stop before the next effect; never so once an effect was begun, for then the task is finished."""

    def time_left(self) -> float:
        """Return the seconds for which this task may still be worked on: the attempt's and the lease's, the shorter."""

    def require_time(self, seconds: float) -> None:
        """Raise `RetryLater("no_time_left")` unless `seconds` are left, or when the engine gave up on this attempt.

        Ask before every call that does not go through `Http` (which asks by itself): no call may outlive the lease.
        """

    async def before_effect(self) -> None:
        """Wait for this processor's rate limit, then see that time is left; for calls that do not go through `Http`."""

    def before_effect_in_thread(self) -> None:
        """Do the same from a plain method, which runs in a thread."""
