"""What happens because time passed: tasks are said to be accepted, processors announced, subjects forgotten."""

import time
from collections.abc import Mapping
from typing import Any

from services.chassis.dead_letters import DeadLetters
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.log import get_logger
from services.chassis.loops import Wake
from services.chassis.postgres.outbox import append
from services.chassis.postgres.pool import Database
from services.chassis.postgres.queries import Queries
from services.connectors.domain.claimed import Told, never_done
from services.connectors.host.reports import Reports
from services.connectors.host.served import Served
from services.connectors.host.worker import Serving

log = get_logger(__name__)

BEHIND_AFTER = 30.0  # seconds; well below the quarter of an hour after which the orchestrator calls for a person
SQL = Queries.load("services.connectors.store", "arrivals.sql", "timers.sql")


class AcceptLate:
    """A loop's step: `task.accepted` for what is not settled after a while, and again for what is not for long.

    Of a processor with tasks in line it is said much later: while there is work, saying so would be most of it.
    """

    def __init__(
        self, database: Database, roster: Serving, reports: Reports, *, after: float, every: float, reported: Wake
    ) -> None:
        """Speak after `after` seconds, then `every` so many."""
        self._database = database
        self._roster = roster
        self._reports = reports
        self._after = after
        self._every = every
        self._reported = reported

    async def step(self) -> int:
        """Report a batch; return how many."""
        served = self._roster.served()
        if not served:
            return 0
        async with self._database.transaction() as connection:
            behind = max(self._after, BEHIND_AFTER)
            rows = await connection.fetch(SQL["accept"], list(served), self._after, behind)
            repeated = await connection.fetch(SQL["accept_again"], list(served), self._every)
            messages = [self._accepted(row, served) for row in rows]
            messages += [self._accepted(row, served, again=True) for row in repeated]
            await append(connection, messages)
        if messages:
            self._reported.set()
        return len(messages)

    def _accepted(self, row: Mapping[str, Any], served: Mapping[str, Served], *, again: bool = False) -> Outgoing:
        keys = served[row["processor"]].keys
        return self._reports.accepted(_told(row), row["dispatch_no"], keys, until=row["told_until"], again=again)


class Announce:
    """A loop's step: tells of processors that are new or changed, and of all of them every few minutes."""

    def __init__(self, database: Database, roster: Serving, reports: Reports, *, every: float, reported: Wake) -> None:
        """Repeat `every` so many seconds."""
        self._database = database
        self._roster = roster
        self._reports = reports
        self._every = every
        self._reported = reported
        self._due: set[str] = set()
        self._all_at = 0.0
        self.wake = Wake()

    def changed(self, processor: str) -> None:
        """Tell of this one soon."""
        self._due.add(processor)
        self.wake.set()

    async def everything(self) -> None:
        """Tell of all of them soon."""
        self._all_at = 0.0
        self.wake.set()

    async def step(self) -> int:
        """Announce what is due; return how many."""
        served = self._roster.served()
        due = set(served) if time.monotonic() >= self._all_at else self._due & served.keys()
        if not due:
            return 0
        async with self._database.transaction() as connection:
            await append(connection, [self._reports.announced(served[name]) for name in sorted(due)])
        if due == set(served):
            self._all_at = time.monotonic() + self._every
        self._due -= due
        self._reported.set()
        return len(due)


class Forget:
    """A loop's step: forgets subjects whose time has come, closed or not; then old tombstones and dead letters."""

    def __init__(
        self, database: Database, roster: Serving, reports: Reports, dead_letters: DeadLetters, *, reported: Wake
    ) -> None:
        """Forget in `database`."""
        self._database = database
        self._roster = roster
        self._reports = reports
        self._dead_letters = dead_letters
        self._reported = reported

    async def step(self) -> int:
        """Forget a batch; return how many."""
        answer = never_done("forgotten")
        async with self._database.transaction() as connection:
            rows = await connection.fetch(SQL["to_forget"])
            gone = [row["id"] for row in rows]
            if gone:
                await connection.execute(SQL["close"], gone, answer.stored())
                unanswered = [row for row in rows if row["answer"] is None]
                keys = {name: served.keys for name, served in self._roster.served().items()}
                await append(
                    connection,
                    [
                        self._reports.settled(_told(row), row["dispatch_no"], answer, keys[row["processor"]])
                        for row in unanswered
                        if row["processor"] in keys
                    ],
                )
                log.info("subjects.forgotten", count=len(gone))
            await connection.execute(SQL["delete_old"])
            await self._dead_letters.expire(connection)
        if gone:
            self._reported.set()
        return len(gone)


def _told(row: Mapping[str, object]) -> Told:
    return Told(*(row[name] for name in ("id", "request_id", "processor", "livemode", "traceparent")))  # type: ignore[arg-type]
