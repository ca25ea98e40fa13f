"""What the engine needs from whoever runs it: a place to remember one task, and its verdict's shapes."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from habeas.engine.holds import Hold
from habeas.sdk import File, Identity, Item, Record, Result, Unlisted, Wait
from habeas.vocabulary import AttentionReason, Checked, Disposition, Phase


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item as remembered: `ordinal` is its place in the task (from 0, never reused), `attempted` says that an
    effect on it was begun, so its absence later may be our own doing.

    `decided` is what a rectification decided of each field (a register key) before that effect, as a machine word:
    so that after a crash a value that is new is known to be our own doing, and no other's.
    """

    ordinal: int
    pass_no: int
    item: Item
    attempted: bool = False
    result: Result | None = None
    decided: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """All that is remembered of a task. `located` is True once pass `pass_no` was stored whole."""

    items: Sequence[StoredItem] = ()
    identities: Sequence[Identity] = field(default=(), repr=False)
    pass_no: int = 0
    located: bool = False
    wait: Wait | None = None
    effects: int = 0
    unlisted: Sequence[Unlisted] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """What an earlier task kept and this one may act on, known to the host by a hold that has ended.

    `items` have a `matched` type and no value; `owns` says whether what they are matched by now is still the person
    of whom they were kept. `beside` is kept of the same person for longer: what would go along with it stays too.
    """

    items: Sequence[Item]
    owns: Callable[[Identity], bool]
    beside: Sequence[tuple[Item, Hold]] = ()


class Clock(Protocol):
    """Where the engine gets the time from."""

    def now(self) -> datetime:
        """Return the time, aware and in UTC."""


class Ledger(Protocol):
    """One task's memory. `attempting` and `waiting` return after the fact is durable; what the others are told is
    durable before whatever is told later. All refuse a stale fencing number by raising `LeaseLost`, then or later.
    """

    async def load(self) -> Progress:
        """Return what is remembered."""

    async def begin_pass(self, pass_no: int) -> None:
        """Open pass `pass_no` (1, 2, 3): what a crash left half-located of it is dropped."""

    async def found(
        self, items: Sequence[Item], identities: Sequence[Identity], unlisted: Sequence[Unlisted] = ()
    ) -> None:
        """Append what locate yielded to the open pass."""

    async def located(self) -> Sequence[StoredItem]:
        """Mark the open pass as located whole, and return its items with their ordinals."""

    async def attempting(self, ordinals: Sequence[int], decided: Mapping[int, Mapping[str, str]] | None = None) -> None:
        """Remember, before the call, that an effect on these items begins, and what was decided of their fields."""

    async def results(self, results: Mapping[int, Result], *, effects: int) -> None:
        """Remember results by ordinal, and how many effects the call had."""

    async def waiting(self, wait: Wait | None) -> None:
        """Remember (or clear) what is waited for: the vendor's job, or (job "") the moment to verify."""

    def lease_left(self) -> float:
        """Return the seconds for which this worker may still act."""

    def cancelled(self) -> bool:
        """Whether a cancel arrived."""


@dataclass(frozen=True, slots=True)
class ExportReceipt:
    """What one attempt at an export wrote.

    `attempt` names it (from 1, never used again for one task), `size` is in bytes and `sha256` in hexadecimal, both of
    the object as it is stored; `records` and `files` are what is in it.
    """

    attempt: int
    size: int
    sha256: str
    records: int
    files: int


class Exports(Protocol):
    """Where one attempt's export goes; the host seals, counts and digests it there.

    All may raise `LeaseLost`, and `RetryLater` while the store cannot be reached. An export that was begun and not
    finished is nobody's: whoever gave it to `work` removes it once that has returned or raised.
    """

    async def begin(self) -> None:
        """Start this attempt's export, empty. Not called where there is nothing to export."""

    async def record(self, record: Record) -> None:
        """Append a record; raise `TypeError` or `ValueError` where its fields are no JSON values or too large."""

    async def file(self, file: File, chunks: AsyncIterator[bytes]) -> None:
        """Append a file, reading `chunks` to the end; `file.chunks` are the same, but nobody judges what they raise."""

    async def finish(self) -> ExportReceipt:
        """Return what was written once the whole of it is durable."""


class LeaseLost(Exception):
    """Another worker owns the task now: stop at once and report nothing."""


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """One line of the outcome: by category, disposition, ground, end, reason and how it was checked."""

    category: str
    disposition: Disposition
    count: int
    checked: Checked
    ground: str | None = None
    until: date | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """The task is over."""

    lines: Sequence[OutcomeLine]
    identities: Sequence[Identity] = field(default=(), repr=False)
    effects: int = 0
    cancelled: bool = False
    complete: bool = True
    export: ExportReceipt | None = None  # of an export that handed something over


@dataclass(frozen=True, slots=True)
class Again:
    """Work on it again after `after` seconds (None: the host's back-off). `phase` says why it is not being worked on.

    `counts` says that a defect was met: only then does the host hand in a higher `attempt` next time. A vendor that
    is busy, or a job that is not yet due, uses up no attempt.
    """

    reason: str
    phase: Phase = Phase.RETRYING
    after: float | None = None
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Park:
    """A person is needed; the task waits for an operator's retry, skip or settle."""

    attention: AttentionReason
    reason: str


Verdict = Settled | Again | Park
