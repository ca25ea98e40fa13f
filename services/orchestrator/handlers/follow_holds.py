"""Opens a follow-up request when a hold has ended: what was kept is erased then, without asking who it was of."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from contracts.requests import RequestReceived
from habeas.vocabulary import Action, AttentionReason, Cause, TaskState
from services.chassis.log import get_logger
from services.chassis.postgres.pool import Connection
from services.chassis.postgres.queries import Queries
from services.orchestrator.domain.deadline import Calendar
from services.orchestrator.domain.holds import MOST_IN_A_ROW
from services.orchestrator.domain.request import DataSubjectRequest
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import Directory
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.secrets import Secrets, pack
from services.orchestrator.handlers.vault import Vault
from services.orchestrator.handlers.workspace import Workspace

log = get_logger(__name__)
SQL = Queries.load("services.orchestrator.store", "holds.sql")

CAUSE = Cause.HOLD_ENDED


@dataclass(frozen=True, slots=True)
class End:
    """Holds of one request that end on one day. `tasks` are the tasks that kept something, by processor."""

    request: str
    until: date
    in_a_row: int
    due_at: datetime
    count: int
    holds: Sequence[tuple[str, int]]
    tasks: Mapping[str, str]


class HoldTimer:
    """A loop's step: follows the holds whose day has come."""

    def __init__(self, deps: Dependencies) -> None:
        """Follow with `deps`."""
        self._deps = deps
        self._messages = Messages(deps)
        self._calendar = Calendar(deps.settings.controller_country, deps.settings.controller_zone)
        self._digests = deps.root.derive("habeas follow-up requests")

    async def step(self) -> int:
        """Open the follow-ups of one batch of requests; return how many holds were dealt with."""
        now = self._deps.clock.now()
        async with self._deps.database.transaction() as connection:
            rows = await connection.fetch(SQL["due"], now, self._deps.settings.batch)
            if not rows:
                return 0
            work = Workspace(connection)
            await work.lock([row["request_id"] for row in rows], wait=False)
            ends = _ends(await connection.fetch(SQL["due_of"], list(work.requests), now))
            await self._follow(connection, work, [one for one in ends if one.in_a_row < MOST_IN_A_ROW], now)
            await self._leave(connection, work, [one for one in ends if one.in_a_row >= MOST_IN_A_ROW], now)
            await work.save()
        self._deps.wakes.planner.set()
        self._deps.wakes.relay.set()
        return sum(len(one.holds) for one in ends)

    async def _follow(self, connection: Connection, work: Workspace, ends: Sequence[End], now: datetime) -> None:
        """Open a follow-up for each of `ends`; one that is open already is not opened twice."""
        if not ends:
            return
        ids = [self._id_of(one) for one in ends]
        opened = await self._open(connection, ends, ids, now)
        await work.lock(opened)
        directory = await Directory.read(connection, self._deps.root)
        for end, follow_up in zip(ends, ids, strict=True):
            self._note_end(work, end, follow_up, now)
            if follow_up in opened:
                self._begin(work, directory, work.requests[follow_up], end, now)
        await _end(connection, ends, "ended", ids, now)
        log.info("holds.ended", count=sum(len(one.holds) for one in ends))

    async def _open(self, connection: Connection, ends: Sequence[End], ids: Sequence[str], now: datetime) -> set[str]:
        vault = await Vault.open(connection, self._deps.at_rest, [one.request for one in ends], leave_out=True)
        deadlines = [self._calendar.deadline(min(one.due_at, now)) for one in ends]
        data_keys = [self._deps.at_rest.fresh() for _ in ends]
        sealed = [
            # No identity: the items are known where they are kept. The contact only while the first request knows it.
            pack(key.plain, name, Secrets((), known.email if (known := vault.get(end.request)) is not None else None))
            for end, name, key in zip(ends, ids, data_keys, strict=True)
        ]
        rows = await connection.fetch(
            SQL["open"],
            list(ids),
            [one.request for one in ends],
            [CAUSE.value for _ in ends],
            [one.in_a_row + 1 for one in ends],
            [self._digest_of(name) for name in ids],
            [min(one.due_at, now) for one in ends],
            [now for _ in ends],
            [one.on for one in deadlines],
            [one.at for one in deadlines],
            [one.wrapped for one in data_keys],
            sealed,
        )
        return {row["id"] for row in rows}

    def _begin(
        self, work: Workspace, directory: Directory, request: DataSubjectRequest, end: End, now: datetime
    ) -> None:
        """Tell of the follow-up and plan it: exactly the tasks of what was kept."""
        told = {"follows": end.request, "cause": CAUSE.value}
        request.note(
            RequestReceived.TYPE,
            event_id=self._messages.event_id(request.id, RequestReceived.TYPE, request.version),
            at=now,
            detail=told,
        )
        work.send(self._messages.fact(RequestReceived, request, at=now, **told))
        for processor, earlier in end.tasks.items():
            task = ProcessorTask(
                id=self._messages.task_id(request.id, processor, Action.ERASE, 0),
                request_id=request.id,
                processor=processor,
                action=Action.ERASE,
                round=0,
                state=TaskState.WAITING,
                follows=earlier,
                held_until=end.until,
            )
            standing = directory[processor].candidate().standing
            if standing.unknown:
                task.need(AttentionReason(standing.value), now)
            work.add_task(task)
            request.note(
                "task.planned",
                event_id=self._messages.event_id(task.id, "task.planned"),
                at=now,
                task_id=task.id,
                processor=processor,
                detail={"action": task.action.value, "round": 0, "follows": earlier},
            )

    async def _leave(self, connection: Connection, work: Workspace, ends: Sequence[End], now: datetime) -> None:
        """Let holds stay that were followed often enough: whatever keeps them, asking again does not help."""
        if not ends:
            return
        for end in ends:
            request = work.requests[end.request]
            request.note(
                "hold.stays",
                event_id=self._messages.event_id(request.id, "hold.stays", end.until.isoformat()),
                at=now,
                detail={"until": end.until.isoformat(), "count": end.count, "follow_ups": MOST_IN_A_ROW},
            )
            work.touch(request)
            log.error("hold.stays", request_id=request.id, count=end.count)
        await _end(connection, ends, "stays", [None for _ in ends], now)

    def _note_end(self, work: Workspace, end: End, follow_up: str, now: datetime) -> None:
        request = work.requests[end.request]
        request.note(
            "hold.ended",
            event_id=self._messages.event_id(request.id, "hold.ended", end.until.isoformat()),
            at=now,
            detail={"until": end.until.isoformat(), "count": end.count, "follow_up": follow_up},
        )
        work.touch(request)

    def _id_of(self, end: End) -> str:
        """Return the id of a follow-up: the same for the same request, cause and end, whatever is restored."""
        day = datetime.combine(end.until, time(), UTC)
        parts = (end.request, CAUSE.value, end.until.isoformat())
        return self._deps.root.derived_id("req", int(day.timestamp() * 1_000), *parts)

    def _digest_of(self, follow_up: str) -> bytes:
        """Return what stands where a filed request has its idempotency key's digest; no key of a client can meet it."""
        return hmac.digest(self._digests, follow_up.encode(), "sha256")


def _ends(rows: Iterable[Any]) -> list[End]:
    """Group holds by request and day."""
    groups: dict[tuple[str, date], list[Any]] = {}
    for row in rows:
        groups.setdefault((row["request_id"], row["until"]), []).append(row)
    return [
        End(
            request=request,
            until=until,
            in_a_row=group[0]["in_a_row"],
            due_at=max(row["due_at"] for row in group),
            count=sum(row["count"] for row in group),
            holds=[(row["task_id"], row["ordinal"]) for row in group],
            tasks={row["processor"]: row["task_id"] for row in group},
        )
        for (request, until), group in groups.items()
    ]


async def _end(
    connection: Connection, ends: Sequence[End], state: str, follow_ups: Sequence[str | None], now: datetime
) -> None:
    rows = [(task, ordinal, one) for end, one in zip(ends, follow_ups, strict=True) for task, ordinal in end.holds]
    await connection.execute(
        SQL["end"],
        [task for task, _, _ in rows],
        [ordinal for _, ordinal, _ in rows],
        [state for _ in rows],
        [one for _, _, one in rows],
        now,
    )
