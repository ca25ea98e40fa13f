"""Group commit: writes of many tasks share one transaction, so that a task costs PostgreSQL little."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from habeas.engine import LeaseLost
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.log import describe, get_logger
from services.chassis.postgres.outbox import append
from services.chassis.postgres.pool import TRANSIENT, Connection, Database
from services.chassis.postgres.queries import Queries
from services.connectors.domain.claimed import Answered, Claimed, Ending, PutDown
from services.connectors.host import metrics
from services.connectors.host.holds import write_holds
from services.connectors.host.reports import Reports
from services.connectors.host.served import Served

log = get_logger(__name__)
SQL = Queries.load("services.connectors.store", "arrivals.sql", "work.sql")

MOST_WRITES = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a journal; `wrapped` is the task's data key, on its first row alone."""

    seq: int
    wrapped: bytes | None = field(repr=False)
    sealed: bytes = field(repr=False)


@dataclass(slots=True)
class Write:
    """What is to become durable of one task: an entry of its journal, the way it leaves our hands, that it exports."""

    task: Claimed
    served: Served
    entry: Entry | None = None
    ending: Ending | None = None
    exports: bool = False
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Commits:
    """Collects the writes of one worker while a transaction is under way, and commits them together in the next."""

    def __init__(
        self, database: Database, reports: Reports, *, worker: Callable[[], str], after: Callable[[], None]
    ) -> None:
        """Write in the name of `worker()`; call `after` when reports were put into the outbox."""
        self._database = database
        self._reports = reports
        self._worker = worker
        self._after = after
        self._waiting: list[Write] = []
        self._bell = asyncio.Event()

    def begin(self, write: Write) -> None:
        """Have `write` become durable soon, after those before it; `write.done` tells."""
        self._waiting.append(write)
        self._bell.set()

    async def write(self, write: Write) -> None:
        """Return once `write` is durable; raise `LeaseLost` when the task is no longer this worker's."""
        self.begin(write)
        await write.done

    async def run(self) -> None:
        """Commit until cancelled."""
        while True:
            await self._bell.wait()
            await asyncio.sleep(0)  # let tasks that can go on reach their next write: it rides along
            self._bell.clear()
            while self._waiting:
                writes, self._waiting = self._waiting[:MOST_WRITES], self._waiting[MOST_WRITES:]
                await self._commit(writes)

    async def _commit(self, writes: Sequence[Write]) -> None:
        """Commit `writes`; where one of them can not be written, the others still are."""
        try:
            held = await self._patiently(writes)
        except Exception as error:  # noqa: BLE001  # one write is wrong: find it
            if len(writes) == 1:
                _tell(writes[0], error)
                return
            middle = len(writes) // 2
            await self._commit(writes[:middle])
            await self._commit(writes[middle:])
            return
        for write in writes:
            _tell(write, None if _attempt(write) in held else LeaseLost())
        metrics.COMMITS.inc()
        metrics.WRITES.inc(len(writes))
        if any(write.ending for write in writes):
            self._after()

    async def _patiently(self, writes: Sequence[Write]) -> AbstractSet[tuple[str, int]]:
        """Write, waiting for the database as long as it takes: what is repeated changes nothing."""
        failures = 0
        while True:
            try:
                return await self._transact(writes)
            except TRANSIENT as error:
                failures += 1
                if failures in (1, 10) or failures % 50 == 0:
                    log.warning("commit.waited", error=describe(error), count=failures)
                await asyncio.sleep(min(0.05 * 2**failures, 2.0) * (0.5 + random.random()))  # noqa: S311  # jitter

    async def _transact(self, writes: Sequence[Write]) -> AbstractSet[tuple[str, int]]:
        """Write for the attempts that still hold their tasks; return these attempts.

        Two attempts at one task may write at once, where the first was taken for dead: only the later one is held.
        """
        async with self._database.transaction() as connection:
            worker = self._worker()
            rows = await connection.fetch(SQL["lock_held"], list({write.task.id for write in writes}))
            held = {(row["id"], row["fence"]): row for row in rows if row["holder"] == worker}
            ours = [write for write in writes if _attempt(write) in held]
            for write in ours:
                row = held[_attempt(write)]
                write.task.dispatch_no = row["dispatch_no"]
                write.task.cancelled = row["cancelled"]
            over = {write.task.id for write in ours if isinstance(write.ending, Answered)}
            await _journal(connection, [write for write in ours if write.task.id not in over])
            exporting = [write.task.id for write in ours if write.exports]
            if exporting:
                await connection.execute(SQL["exporting"], exporting)
            reports = await self._settle(connection, ours)
            reports += await self._put_down(connection, ours)
            await append(connection, reports)
        return held.keys()

    async def _settle(self, connection: Connection, writes: Sequence[Write]) -> list[Outgoing]:
        over = [(write, write.ending) for write in writes if isinstance(write.ending, Answered)]
        if not over:
            return []
        await connection.execute(
            SQL["settle"],
            [write.task.id for write, _ in over],
            [answer.stored() for _, answer in over],
            [answer.findings for _, answer in over],
            [answer.export is not None for _, answer in over],
        )
        await write_holds(connection, [(write.task, answer) for write, answer in over])
        kinds = Counter((write.task.processor, answer.outcome.headline.value) for write, answer in over)
        for (processor, headline), count in kinds.items():
            metrics.SETTLED.labels(processor, headline).inc(count)
        return [
            self._reports.settled(write.task, write.task.dispatch_no, answer, write.served.keys)
            for write, answer in over
        ]

    async def _put_down(self, connection: Connection, writes: Sequence[Write]) -> list[Outgoing]:
        down = [(write, write.ending) for write in writes if isinstance(write.ending, PutDown)]
        if not down:
            return []
        told = [self._progress(write, ending) for write, ending in down]
        await connection.execute(
            SQL["put_down"],
            [write.task.id for write, _ in down],
            [ending.state for _, ending in down],
            [ending.after for _, ending in down],
            [ending.attempt for _, ending in down],
            [ending.retries for _, ending in down],
            [ending.phase for _, ending in down],
            [ending.attention for _, ending in down],
            [ending.reason for _, ending in down],
            [write.task.asked_again for write, _ in down],
            [ending.failing_since for _, ending in down],
            [report is not None for report in told],
        )
        for write, ending in down:
            metrics.PUT_DOWN.labels(write.task.processor, ending.state).inc()
        return [report for report in told if report is not None]

    def _progress(self, write: Write, ending: PutDown) -> Outgoing | None:
        """Return what is to be told of a task that was put down; None when that is nothing new."""
        task = write.task
        if ending.kid is not None:
            return self._reports.unsealable(task, task.claimed_as[0], ending.kid, write.served)
        if ending.phase is None or (ending.phase, ending.attention, ending.reason) == (
            task.phase,
            task.attention,
            task.reason,
        ):
            return None
        return self._reports.progressed(task, task.claimed_as[0], task.fence, ending, write.served.keys)


def _attempt(write: Write) -> tuple[str, int]:
    """Return which attempt at which task this is."""
    return write.task.id, write.task.fence


async def _journal(connection: Connection, writes: Sequence[Write]) -> None:
    entries = [(write.task.id, write.entry) for write in writes if write.entry is not None]
    if entries:
        await connection.execute(
            SQL["append"],
            [task_id for task_id, _ in entries],
            [entry.seq for _, entry in entries],
            [entry.wrapped for _, entry in entries],
            [entry.sealed for _, entry in entries],
        )


def _tell(write: Write, error: BaseException | None) -> None:
    if write.done.done():
        return  # whoever waited was cancelled
    if error is None:
        write.done.set_result(None)
    else:
        write.done.set_exception(error)
