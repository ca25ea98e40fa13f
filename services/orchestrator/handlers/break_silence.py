"""Nobody waits for ever: silent tasks are shown to an operator, then sent again; so are notices without an answer."""

from datetime import datetime, timedelta
from typing import Any

from contracts.notices import Recipient
from contracts.outcomes import Outcome
from habeas.vocabulary import AttentionReason, NoticeKind
from services.chassis.log import get_logger
from services.chassis.postgres.queries import Queries
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.handlers.complete_request import recipients_of
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import Directory
from services.orchestrator.handlers.dispatch_tasks import dispatch
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.vault import Vault
from services.orchestrator.handlers.workspace import SQL, Workspace

log = get_logger(__name__)
NOTICES = Queries.load("services.orchestrator.store", "notices.sql")


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
        """Send one batch of unanswered notices again; return how many there were."""
        now = self._deps.clock.now()
        async with self._deps.database.transaction() as connection:
            rows = await connection.fetch(NOTICES["silent"], now, self._deps.settings.batch)
            if not rows:
                return 0
            work = Workspace(connection)
            await work.lock([row["request_id"] for row in rows])
            await work.load_tasks()
            directory = await Directory.read(connection, self._deps.root)
            vault = await Vault.open(connection, self._deps.at_rest, list(work.requests), leave_out=True)
            messages = Messages(self._deps)
            for row in rows:
                self._notice_again(work, directory, vault, messages, row, now)
            await work.save()
            await connection.execute(
                NOTICES["sent_again"],
                [row["id"] for row in rows],
                [row["dispatch_no"] + 1 for row in rows],
                [row["silences"] + 1 for row in rows],
                [now + timedelta(seconds=self._pause(row["silences"] + 1)) for row in rows],
            )
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
                    await connection.execute(NOTICES["unanswered"], now)
                    break
                work = Workspace(connection)
                await work.lock([row["request_id"] for row in rows])
                await work.load_tasks([row["id"] for row in rows])
                await dispatch(self._deps, work, [task for task in work.tasks.values() if task.is_open])
                await work.save()
                after = rows[-1]["id"]
        self._deps.wakes.relay.set()

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

    def _notice_again(
        self, work: Workspace, directory: Directory, vault: Vault, messages: Messages, row: Any, now: datetime
    ) -> None:
        request = work.requests[row["request_id"]]
        known = vault.get(request.id)
        if known is None or known.email is None:
            return
        kind = NoticeKind(row["kind"])
        outcome: Outcome | None = None
        recipients: tuple[Recipient, ...] = ()
        if kind is NoticeKind.COMPLETION and request.outcome is not None:
            outcome = Outcome.model_validate_json(request.outcome)
            recipients = recipients_of(directory, work.tasks_of(request.id))
        work.send(
            messages.notice(
                request,
                kind,
                email=known.email,
                reference=known.reference,
                at=now,
                dispatch_no=row["dispatch_no"] + 1,
                outcome=outcome,
                recipients=recipients,
            )
        )


def _due(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now
