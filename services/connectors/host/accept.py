"""Stores what arrives for one processor: tasks, cancels, closings, each batch by sets in the consumer's transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import asyncpg

from contracts.message import Message
from contracts.tasks import TaskDispatched
from habeas.engine import MOST_PASSES
from services.chassis.clock import Clock
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.kafka.incoming import Incoming
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.log import get_logger
from services.chassis.postgres.outbox import append
from services.chassis.postgres.pool import Connection
from services.chassis.postgres.queries import Queries
from services.connectors.domain.arrivals import Decisions, Known, Wanted, decide, gather
from services.connectors.domain.claimed import Answered, Claimed, Told, cancelled_before_it_came, never_done, rules_of
from services.connectors.host import metrics
from services.connectors.host.reports import Reports
from services.connectors.host.reserved import Reserved

log = get_logger(__name__)
SQL = Queries.load("services.connectors.store", "arrivals.sql")

_CLOSED = never_done("closed").stored()
TOMBSTONE_DAYS = 90  # of a task that was over before it came; longer than any topic keeps its messages


class Hands(Protocol):
    """What a consumer asks of the worker of its process."""

    def reserve(self, processor: str, new: Sequence[str]) -> Reserved:
        """Keep free places for the first of `new`, ids of tasks of `processor` that are being stored."""

    def begin(self, reserved: Reserved) -> None:
        """Work on the tasks of `reserved`, which are committed."""

    def release(self, reserved: Reserved) -> None:
        """Give the places back: the tasks were not committed, or nobody knows."""

    def cancel(self, tasks: Iterable[str]) -> None:
        """Have those of `tasks` that are in hand stop before their first effect."""


class Accept:
    """The handler of one processor's topic.

    New tasks go into the worker's hands as they are stored, as far as it has free places and nothing waits: `ended`
    must be called behind each transaction. What is left over is claimed from the table.
    """

    def __init__(
        self,
        processor: str,
        *,
        keys: Callable[[], ProcessorKeys],
        reports: Reports,
        clock: Clock,
        hands: Hands,
        due: Callable[[], None],
        reported: Callable[[], None],
    ) -> None:
        """Accept for `processor`; `keys()` gives its newest keys.

        `due` rings where tasks are left to be claimed, `reported` where something was put into the outbox.
        """
        self._processor = processor
        self._keys = keys
        self._reports = reports
        self._clock = clock
        self._hands = hands
        self._due = due
        self._reported = reported
        self._reserved: Reserved | None = None
        self._left_over = False
        self._spoke = False

    def ended(self, *, committed: bool) -> None:
        """Begin what was stored with a place of its own; give the places back when nobody knows that it was."""
        reserved, self._reserved = self._reserved, None
        left_over, self._left_over = self._left_over, False
        if reserved is not None:
            (self._hands.begin if committed else self._hands.release)(reserved)
        if left_over:
            self._due()
        if committed and self._spoke:
            self._reported()

    async def __call__(self, connection: Connection, batch: Sequence[Incoming[Message]]) -> None:
        """Store `batch`; right under duplicates and any order."""
        wanted, late = gather(((one.body, one.traceparent) for one in batch), now=self._clock.now())
        if late:
            metrics.LATE.labels(self._processor).inc(late)
            log.warning("task.late", processor=self._processor, count=late)
        if not wanted:
            return
        rows = {row["id"]: row for row in await connection.fetch(SQL["lock_known"], list(wanted))}
        known = {task_id: Known(row["state"], row["dispatch_no"], row["cancelled"]) for task_id, row in rows.items()}
        decisions = decide(wanted, known)
        await self._store(connection, decisions.store)
        await self._change(connection, decisions)
        # Also before the commit: where that fails, the same messages come again.
        self._hands.cancel(one.first.task_id for one in wanted.values() if one.cancelled)
        buried = await self._bury(connection, decisions.bury)
        repeated = await self._repeat(connection, decisions.repeat, rows)
        self._spoke = bool(buried or repeated)
        await append(connection, [*buried, *repeated])

    async def _store(self, connection: Connection, new: Sequence[Wanted]) -> None:
        dispatches = [(one, one.dispatch) for one in new if one.dispatch is not None]
        if not dispatches:
            return
        reserved = self._reserved = self._hands.reserve(self._processor, [body.task_id for _, body in dispatches])
        reserved.tasks = [
            Claimed.at_once(body, cancelled=one.cancelled, max_passes=MOST_PASSES, traceparent=one.traceparent)
            for one, body in dispatches[: len(reserved.ids)]
        ]
        self._left_over = self._left_over or len(reserved.ids) < len(dispatches)
        stored = await connection.fetch(
            SQL["store"],
            self._processor,
            [body.task_id for _, body in dispatches],
            [body.request_id for _, body in dispatches],
            [body.livemode for _, body in dispatches],
            [one.dispatch_no for one, _ in dispatches],
            [one.cancelled for one, _ in dispatches],
            [body.action.value for _, body in dispatches],
            [body.right.value for _, body in dispatches],
            [body.due_at for _, body in dispatches],
            [body.not_after for _, body in dispatches],
            [body.forget_after for _, body in dispatches],
            [body.sealed for _, body in dispatches],
            [rules_of(body) for _, body in dispatches],
            MOST_PASSES,
            [one.traceparent for one, _ in dispatches],
            reserved.worker,
            len(reserved.ids),
        )
        _all_or_again(stored, dispatches)
        metrics.ARRIVED.labels(self._processor).inc(len(dispatches))

    async def _change(self, connection: Connection, decisions: Decisions) -> None:
        self._left_over = self._left_over or bool(decisions.renew or decisions.cancel)
        if decisions.renew:
            await self._renew(connection, decisions.renew)
        if decisions.cancel:
            await connection.execute(
                SQL["cancel"],
                [one.first.task_id for one in decisions.cancel],
                [one.dispatch_no for one in decisions.cancel],
            )
        if decisions.close:
            closing = [one.first.task_id for one in decisions.close]
            await connection.execute(SQL["close"], closing, _CLOSED)

    async def _renew(self, connection: Connection, renewed: Sequence[Wanted]) -> None:
        dispatches: list[tuple[Wanted, TaskDispatched]] = [(one, one.dispatch) for one in renewed if one.dispatch]
        await connection.execute(
            SQL["renew"],
            [body.task_id for _, body in dispatches],
            [one.dispatch_no for one, _ in dispatches],
            [one.cancelled for one, _ in dispatches],
            [body.due_at for _, body in dispatches],
            [body.not_after for _, body in dispatches],
            [body.forget_after for _, body in dispatches],
            [body.sealed for _, body in dispatches],
            [rules_of(body) for _, body in dispatches],
            MOST_PASSES,
            [one.traceparent for one, _ in dispatches],
        )

    async def _bury(self, connection: Connection, gone: Sequence[Wanted]) -> list[Outgoing]:
        """Leave tombstones; a cancel is answered at once, since nothing was done and nothing will be."""
        if not gone:
            return []
        answers = [never_done("closed") if one.closed else cancelled_before_it_came() for one in gone]
        buried = await connection.fetch(
            SQL["bury"],
            self._processor,
            TOMBSTONE_DAYS,
            [one.first.task_id for one in gone],
            [one.first.request_id for one in gone],
            [one.first.livemode for one in gone],
            ["closed" if one.closed else "settled" for one in gone],
            [one.dispatch_no for one in gone],
            [one.cancelled for one in gone],
            [answer.stored() for answer in answers],
        )
        _all_or_again(buried, gone)
        return [
            self._reports.settled(_told(one), one.dispatch_no, answer, self._keys())
            for one, answer in zip(gone, answers, strict=True)
            if not one.closed
        ]

    async def _repeat(self, connection: Connection, asked: Sequence[Wanted], rows: Mapping[str, Any]) -> list[Outgoing]:
        """Send stored answers again, under the number of the dispatch that asked for them."""
        if not asked:
            return []
        await connection.execute(
            SQL["answer_again"], [one.first.task_id for one in asked], [one.dispatch_no for one in asked]
        )
        keys: ProcessorKeys = self._keys()
        again = []
        for one in asked:
            row = rows[one.first.task_id]
            answer = Answered.read(row["answer"], row["findings"])
            again.append(self._reports.settled(_told(one), one.dispatch_no, answer, keys))
        return again


def _told(one: Wanted) -> Told:
    body = one.first
    return Told(body.task_id, body.request_id, body.processor, body.livemode, one.traceparent)


def _all_or_again(stored: Sequence[object], wanted: Sequence[object]) -> None:
    """Have the batch handled again when another consumer stored one of its tasks at this moment."""
    if len(stored) != len(wanted):
        raise asyncpg.SerializationError
