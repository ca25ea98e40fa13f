"""Keeps what must be kept beyond its task, sealed under keys of its own, and gives it back when a hold has ended."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time

from habeas.engine import Again, Held, Hold, StoredItem
from habeas.vocabulary import Action, Phase
from services.chassis.clock import Clock
from services.chassis.crypto.at_rest import KeyProvider, decrypt, encrypt
from services.chassis.postgres.pool import Connection, Database
from services.chassis.postgres.queries import Queries
from services.connectors.domain.claimed import Answered, Claimed, Followed, HoldRow, never_done
from services.connectors.domain.held import HeldItem, HeldSubject, Kept, decode, encode, is_over, kept_of

SQL = Queries.load("services.connectors.store", "holds.sql")

NOT_OVER = "hold_not_over"
UNKNOWN = "unknown_hold"
_KEY = 32


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a hold that has ended gives back: for the engine, and for the holds that may follow it."""

    held: Held
    items: Sequence[HeldItem] = field(repr=False)


class Holds:
    """The holds of this host."""

    def __init__(self, database: Database, keys: KeyProvider, clock: Clock) -> None:
        """Keep them in `database`, each under a data key of `keys`."""
        self._database = database
        self._keys = keys
        self._clock = clock

    async def ended(self, task: Claimed, follows: Followed) -> Remembered | Again | Answered:
        """Return what `task` is to act on; an answer where no such hold is known here: nothing found is never claimed.

        Days are counted in UTC here and in the engine: where the controller's day begins earlier, the task waits.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(SQL["held"], follows.task, task.processor, task.livemode)
        opened = [
            (row["ground"], row["until"], self._opened(follows.task, row["ordinal"], row["wrapped"], row["sealed"]))
            for row in rows
        ]
        due = [one for _, until, items in opened if until == follows.until for one in items]
        if not due or task.action != Action.ERASE:
            return replace(never_done(UNKNOWN), attempts=task.tries)
        now = self._clock.now()
        if follows.until is not None and now.date() < follows.until:
            return Again(NOT_OVER, Phase.WAITING_EXTERNAL, _seconds_until(follows.until, now))
        beside = [
            (one.item, Hold(ground, until))
            for ground, until, items in opened
            if until != follows.until
            for one in items
        ]
        subject = HeldSubject(due)
        return Remembered(Held(tuple(one.item for one in due), subject.owns, tuple(beside)), due)

    def with_holds(
        self, task: Claimed, answer: Answered, stored: Sequence[StoredItem], before: Remembered | None
    ) -> Answered:
        """Return `answer` with the holds that are to be placed with it, and the one that is over."""
        if answer.cancelled:
            return answer
        known = before.items if before is not None else ()
        kept = kept_of(stored, known, key=secrets.token_bytes(_KEY))
        over = task.follows if before is not None and is_over(stored, known) else None
        if not kept and over is None:
            return answer
        rows = tuple(self._sealed(task.id, ordinal, one) for ordinal, one in enumerate(kept))
        return replace(answer, holds=rows, released=over)

    def _sealed(self, task_id: str, ordinal: int, kept: Kept) -> HoldRow:
        key = self._keys.fresh()
        sealed = encrypt(key.plain, encode(kept.items), _place(task_id, ordinal))
        return HoldRow(ordinal, kept.ground, kept.until, kept.count, key.wrapped, sealed)

    def _opened(self, task_id: str, ordinal: int, wrapped: bytes, sealed: bytes) -> list[HeldItem]:
        return decode(decrypt(self._keys.unwrap(wrapped), sealed, _place(task_id, ordinal)))


async def write_holds(connection: Connection, ended: Sequence[tuple[Claimed, Answered]]) -> None:
    """Place the holds of tasks that end in this transaction, and shred those that are over."""
    over = [answer.released for _, answer in ended if answer.released is not None]
    if over:
        await connection.execute(SQL["release"], [one.task for one in over], [one.until for one in over])
    rows = [(task, row) for task, answer in ended for row in answer.holds]
    if rows:
        await connection.execute(
            SQL["place"],
            [task.id for task, _ in rows],
            [row.ordinal for _, row in rows],
            [task.processor for task, _ in rows],
            [task.livemode for task, _ in rows],
            [row.ground for _, row in rows],
            [row.until for _, row in rows],
            [row.count for _, row in rows],
            [row.wrapped for _, row in rows],
            [row.sealed for _, row in rows],
        )


def _seconds_until(day: date, now: datetime) -> float:
    return (datetime.combine(day, time(), UTC) - now).total_seconds()


def _place(task_id: str, ordinal: int) -> str:
    return f"holds.sealed/{task_id}/{ordinal}"
