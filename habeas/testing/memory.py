"""A ledger in memory that can die at any step, and exports and time to go with it."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from habeas.engine import ExportReceipt, Progress, StoredItem
from habeas.sdk import File, Identity, Item, Record, Result, Unlisted, Wait


class Crashed(BaseException):
    """The process died here. No handler of errors may stop it, so it is no `Exception`."""


@dataclass(slots=True)
class Crash:
    """Dies at the step with number `at` (from 0), once. It counts on, so that a calm run tells how many there are."""

    at: int | None = None
    steps: int = 0

    def step(self) -> None:
        """Be one step further; raise `Crashed` at the chosen one."""
        number = self.steps
        self.steps += 1
        if number == self.at:
            raise Crashed


class Time:
    """A clock that moves when it is told to."""

    def __init__(self, start: datetime = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)) -> None:
        """Start at `start`, aware."""
        self._now = start

    def now(self) -> datetime:
        """Return the time."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Let `by` pass."""
        self._now += by


@dataclass(slots=True)
class MemoryLedger:
    """One task's memory, held to the same rules as a durable one.

    Each write is two steps of `crash`: dying before the fact is remembered, and after it but before the engine knows.
    `lease` is what `lease_left` answers; `cancel` what `cancelled` answers, a function of this ledger if given as one.
    """

    crash: Crash = field(default_factory=Crash)
    lease: float = 3_600.0
    cancel: bool | Callable[["MemoryLedger"], bool] = False
    items: dict[int, StoredItem] = field(default_factory=dict)
    identities: list[Identity] = field(default_factory=list)
    pass_no: int = 0
    complete: bool = False
    wait: Wait | None = None
    effects: int = 0
    next_ordinal: int = 0
    unlisted: list[Unlisted] = field(default_factory=list)

    async def load(self) -> Progress:
        return Progress(
            items=tuple(self.items.values()),
            identities=tuple(self.identities),
            pass_no=self.pass_no,
            located=self.complete,
            wait=self.wait,
            effects=self.effects,
            unlisted=tuple(self.unlisted),
        )

    async def begin_pass(self, pass_no: int) -> None:
        def write() -> None:
            for ordinal in [each.ordinal for each in self.items.values() if each.pass_no >= pass_no]:
                if self.complete and self.pass_no == pass_no:
                    raise AssertionError("a pass that was located whole must not be opened again")
                del self.items[ordinal]
            if pass_no == 1:
                self.identities.clear()
                self.unlisted.clear()
            self.pass_no, self.complete = pass_no, False

        self._write(write)

    async def found(
        self, items: Sequence[Item], identities: Sequence[Identity], unlisted: Sequence[Unlisted] = ()
    ) -> None:
        def write() -> None:
            if self.pass_no == 0 or self.complete:
                raise AssertionError("finds belong to an open pass")
            for item in items:
                self.items[self.next_ordinal] = StoredItem(self.next_ordinal, self.pass_no, item)
                self.next_ordinal += 1
            self.identities.extend(identities)
            self.unlisted.extend(unlisted)

        self._write(write)

    async def located(self) -> Sequence[StoredItem]:
        def write() -> None:
            self.complete = True

        self._write(write)
        return [item for item in self.items.values() if item.pass_no == self.pass_no]

    async def attempting(self, ordinals: Sequence[int], decided: Mapping[int, Mapping[str, str]] | None = None) -> None:
        def write() -> None:
            if not self.complete:
                raise AssertionError("no effect before everything was found")
            for ordinal in ordinals:
                words = (decided or {}).get(ordinal, {})
                self.items[ordinal] = replace(self.items[ordinal], attempted=True, decided=words)

        self._write(write)

    async def results(self, results: Mapping[int, Result], *, effects: int) -> None:
        def write() -> None:
            for ordinal, result in results.items():
                if self.items[ordinal].result is not None:
                    raise AssertionError("a result is never overwritten")
                self.items[ordinal] = replace(self.items[ordinal], result=result)
            self.effects += effects

        self._write(write)

    async def waiting(self, wait: Wait | None) -> None:
        def write() -> None:
            self.wait = wait

        self._write(write)

    def lease_left(self) -> float:
        return self.lease

    def cancelled(self) -> bool:
        return self.cancel(self) if callable(self.cancel) else self.cancel

    def _write(self, write: Callable[[], None]) -> None:
        self.crash.step()
        write()
        self.crash.step()


@dataclass(slots=True)
class DyingLedger(MemoryLedger):
    """Dies once, when everything is found and the first effect is about to begin."""

    died: bool = False

    async def attempting(self, ordinals: Sequence[int], decided: Mapping[int, Mapping[str, str]] | None = None) -> None:
        if not self.died:
            self.died = True
            raise Crashed
        await MemoryLedger.attempting(self, ordinals, decided)


@dataclass(slots=True)
class MemoryExports:
    """Exports kept in memory: `finished` is None until an export was finished; each `begin` is another attempt."""

    open: list[Record | tuple[File, bytes]] = field(default_factory=list)
    finished: list[Record | tuple[File, bytes]] | None = None
    attempt: int = 0

    async def begin(self) -> None:
        self.open, self.attempt = [], self.attempt + 1

    async def record(self, record: Record) -> None:
        _plain(record)
        self.open.append(record)

    async def file(self, file: File, chunks: AsyncIterator[bytes]) -> None:
        self.open.append((file, b"".join([chunk async for chunk in chunks])))

    async def finish(self) -> ExportReceipt:
        self.finished = self.open
        told = [_plain(part) for part in self.open]
        records = sum(1 for part in self.open if isinstance(part, Record))
        return ExportReceipt(
            attempt=self.attempt,
            size=sum(len(part) for part in told),
            sha256=hashlib.sha256(b"".join(told)).hexdigest(),
            records=records,
            files=len(self.open) - records,
        )


def _plain(part: Record | tuple[File, bytes]) -> bytes:
    """Return an exported part as bytes; raise `TypeError` or `ValueError` for fields that are not JSON values."""
    if isinstance(part, Record):
        return json.dumps([part.item.category, dict(part.fields)], allow_nan=False).encode()
    file, content = part
    return json.dumps([file.item.category, file.media_type]).encode() + content
