"""Nobody waits for ever: silent tasks are shown to an operator, then sent again; so are notices without an answer."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from habeas.vocabulary import AttentionReason
from services.chassis.log import get_logger
from services.chassis.postgres.pool import Connection
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.dispatch_tasks import dispatch
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.notices_again import SQL as NOTICES
from services.orchestrator.handlers.notices_again import send_again, show_trouble, troubles
from services.orchestrator.handlers.workspace import SQL, Workspace

log = get_logger(__name__)


class SilenceBreaker:
    """A loop's steps: one for tasks, one for notices, and one that sends everything unanswered again."""

    def __init__(self, deps: Dependencies) -> None:
        """Work with `deps`."""
        self._deps = deps

    async def tasks(self) -> int:
        """Deal with one batch of silent tasks; return how many there were."""
        now = self._deps.clock.now()
        async with self._deps.database.transaction() as connection:
            rows = await connection.fetch(SQL["silent_tasks"], now, self._deps.settings.batch)
            if not rows:
                return 0
            work = Workspace(connection)
            await work.lock([row["request_id"] for row in rows], wait=False)
            await work.load_tasks([row["id"] for row in rows])
            silent = [task for task in work.tasks.values() if task.is_open and _due(task.silence_at, now)]
            again = [one for one in silent if one.silences > 0]  # the first time it is shown, and given more time
            for task in [one for one in silent if one.silences == 0]:
                self._show(work, task, now)
            await self._send_again(work, again, now)
            await work.save()
        self._deps.wakes.planner.set()
        self._deps.wakes.relay.set()
        return len(silent)

    async def notices(self) -> int:
        """Deal with one batch of unanswered notices; return how many there were."""
        now = self._deps.clock.now()
        async with self._deps.database.transaction() as connection:
            rows = await connection.fetch(NOTICES["silent"], now, self._deps.settings.batch)
            if not rows:
                return 0
            work = Workspace(connection)
            await work.lock([row["request_id"] for row in rows])
            await work.load_tasks()
            went = await send_again(self._deps, work, [row for row in rows if row["silences"] > 0], now)
            done = [row for row in rows if row["silences"] == 0 or row["id"] in went]
            await self._put_off(connection, done, went, now)
            await self._put_off(connection, [row for row in rows if row not in done], set(), now, counts=False)
            # The first time it is shown, and given more time.
            self._show_notices(work, [row for row in rows if row["silences"] == 0], now)
            found = await troubles(connection, list(work.requests))
            for request in work.requests.values():
                show_trouble(request, found.get(request.id), now)
                work.touch(request)
            await work.save()
        self._deps.wakes.planner.set()
        self._deps.wakes.relay.set()
        return len(rows)

    async def everything(self) -> None:
        """Send every unanswered task and notice again, as after the broker turned out to be another cluster."""
        now = self._deps.clock.now()
        after = ""
        while True:
            async with self._deps.database.transaction() as connection:
                rows = await connection.fetch(SQL["unanswered_tasks"], after, self._deps.settings.batch)
                if not rows:
                    break
                work = Workspace(connection)
                await work.lock([row["request_id"] for row in rows])
                await work.load_tasks([row["id"] for row in rows])
                await dispatch(self._deps, work, [task for task in work.tasks.values() if task.is_open])
                await work.save()
                after = rows[-1]["id"]
        await self._every_notice(now)
        self._deps.wakes.relay.set()

    async def _every_notice(self, now: datetime) -> None:
        after = ""
        while True:
            async with self._deps.database.transaction() as connection:
                rows = await connection.fetch(NOTICES["unanswered"], after, self._deps.settings.batch)
                if not rows:
                    return
                work = Workspace(connection)
                await work.lock([row["request_id"] for row in rows])
                await work.load_tasks()
                went = await send_again(self._deps, work, rows, now)
                await self._put_off(connection, [row for row in rows if row["id"] in went], went, now, counts=False)
                await work.save()
                after = rows[-1]["id"]

    async def _put_off(
        self, connection: Connection, rows: Sequence[Any], went: set[str], now: datetime, *, counts: bool = True
    ) -> None:
        """Ask about these notices again later; those in `went` were sent once more."""
        if rows:
            await connection.execute(
                NOTICES["put_off"],
                [row["id"] for row in rows],
                [row["dispatch_no"] + (row["id"] in went) for row in rows],
                [row["silences"] + counts for row in rows],
                [now + timedelta(seconds=self._pause(row["silences"])) for row in rows],
            )

    def _show_notices(self, work: Workspace, rows: Sequence[Any], now: datetime) -> None:
        for row in rows:
            work.requests[row["request_id"]].note(
                "notice.silent",
                event_id=Messages(self._deps).event_id(row["id"], "notice.silent", row["dispatch_no"]),
                at=now,
                detail={"kind": row["kind"]},
            )
            log.warning("notice.silent", notice_id=row["id"], request_id=row["request_id"])

    def _show(self, work: Workspace, task: ProcessorTask, now: datetime) -> None:
        request, since = work.requests[task.request_id], task.silence_at or now
        if task.attention is None:
            task.need(AttentionReason.SILENT, now)
        task.silences = 1
        task.silence_at = now + timedelta(seconds=self._pause(0))
        request.note(
            "task.silent",
            event_id=Messages(self._deps).event_id(task.id, "task.silent", task.dispatch_no, since.isoformat()),
            at=now,
            task_id=task.id,
            processor=task.processor,
        )
        request.wake_planner()
        work.touch_task(task)
        work.touch(request)
        log.warning("task.silent", task_id=task.id, processor=task.processor)

    async def _send_again(self, work: Workspace, tasks: list[ProcessorTask], now: datetime) -> None:
        await dispatch(self._deps, work, tasks)
        for task in tasks:
            task.silences += 1
            task.silence_at = now + timedelta(seconds=self._pause(task.silences - 1))
            work.touch_task(task)

    def _pause(self, silences: int) -> float:
        pauses = self._deps.settings.silence_redispatch
        return pauses[min(silences, len(pauses) - 1)]


def _due(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now
