"""The rows that one transaction works on: locked and loaded by sets, changed in memory, saved by sets."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from habeas.vocabulary import Action, NoticeKind, Phase, RequestState, Right, TaskState
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.postgres import outbox
from services.chassis.postgres.pool import Connection
from services.chassis.postgres.queries import Queries
from services.orchestrator.domain.request import DataSubjectRequest
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.domain.turns import COPIES

SQL = Queries.load("services.orchestrator.store", "work.sql")
TURNS = Queries.load("services.orchestrator.store", "turns.sql")


class Workspace:
    """Requests that this transaction holds, with the tasks and messages that come of it."""

    def __init__(self, connection: Connection) -> None:
        """Work on `connection`, which is inside a transaction."""
        self.connection = connection
        self.requests: dict[str, DataSubjectRequest] = {}
        self.tasks: dict[str, ProcessorTask] = {}
        self.messages: list[Outgoing] = []
        self._new_tasks: list[ProcessorTask] = []
        self._changed_tasks: dict[str, ProcessorTask] = {}
        self._changed_requests: dict[str, DataSubjectRequest] = {}
        self._notices: list[tuple[str, DataSubjectRequest, NoticeKind, datetime, datetime]] = []
        self._released: list[DataSubjectRequest] = []
        self.freed = False  # tasks of other requests may go on

    async def lock(self, requests: Iterable[str], *, wait: bool = True) -> None:
        """Lock requests in id order; with `wait=False` those that somebody else holds are left out."""
        query = SQL["lock_requests" if wait else "try_lock_requests"]
        self._hold(await self.connection.fetch(query, sorted(set(requests))))

    async def claim_to_plan(self, now: datetime, limit: int, only: Sequence[str] | None = None) -> None:
        """Lock requests that the planner was asked to look at; those of `only` where it is given."""
        if only is None:
            self._hold(await self.connection.fetch(SQL["claim_to_plan"], now, limit))
        else:
            self._hold(await self.connection.fetch(SQL["claim_these_to_plan"], now, list(only)))

    async def load_tasks(self, ids: Sequence[str] | None = None) -> None:
        """Load the tasks `ids`, or all tasks of the requests held. Only tasks of requests held are kept."""
        if ids is None:
            rows = await self.connection.fetch(SQL["tasks_of_requests"], list(self.requests))
        else:
            rows = await self.connection.fetch(SQL["tasks_by_id"], list(ids))
        for row in rows:
            if row["request_id"] in self.requests:
                self.tasks[row["id"]] = _task(row)

    def tasks_of(self, request: str) -> list[ProcessorTask]:
        """Return the loaded tasks of a request."""
        return [task for task in self.tasks.values() if task.request_id == request]

    def ready_tasks(self) -> list[ProcessorTask]:
        """Return the tasks that may be sent."""
        return [
            task
            for task in self.tasks.values()
            if task.state is TaskState.READY
            and not task.blocked
            and self.requests[task.request_id].state is RequestState.IN_PROGRESS
        ]

    def add_task(self, task: ProcessorTask) -> None:
        """Add a task; the counters of its request follow."""
        request = self.requests[task.request_id]
        request.total_tasks += 1
        if task.is_open:
            request.open_tasks += 1
        else:
            request.settled_tasks += 1
        self.tasks[task.id] = task
        self._new_tasks.append(task)
        self.touch(request)

    def touch_task(self, task: ProcessorTask) -> None:
        """Save this task at the end."""
        self._changed_tasks[task.id] = task

    def task_closed(self, task: ProcessorTask) -> None:
        """Count a task that has just become final."""
        request = self.requests[task.request_id]
        request.open_tasks -= 1
        request.settled_tasks += 1
        self.touch_task(task)
        self.touch(request)

    def touch(self, request: DataSubjectRequest) -> None:
        """Save this request at the end."""
        self._changed_requests[request.id] = request

    def send(self, message: Outgoing) -> None:
        """Write a message to the outbox at the end."""
        self.messages.append(message)

    def add_notice(
        self, notice: str, request: DataSubjectRequest, kind: NoticeKind, *, at: datetime, silence_at: datetime
    ) -> None:
        """Remember a notice that was sent out to the notifier."""
        self._notices.append((notice, request, kind, silence_at, at))

    def release_subject(self, request: DataSubjectRequest) -> None:
        """End the request's turn with its subject at the end."""
        self._released.append(request)

    async def save(self) -> None:
        """Write everything, by sets. The outbox comes after the locks, so its order is the order of commits."""
        if self._new_tasks:
            await self.connection.execute(SQL["insert_tasks"], *_new_columns(self._new_tasks))
        new = {task.id for task in self._new_tasks}
        if changed := [task for task in self._changed_tasks.values() if task.id not in new]:
            await self.connection.execute(SQL["save_tasks"], *_task_columns(changed))
        if self._changed_requests:
            await self._save_requests(list(self._changed_requests.values()))
        if self._notices:
            await self.connection.execute(SQL["insert_notices"], *_notice_columns(self._notices))
        if self._released:
            copies = [one.id for one in self._released if one.right in COPIES]
            freed = await self.connection.fetch(TURNS["release"], [one.id for one in self._released], copies)
            self.freed = bool(freed)
        await outbox.append(self.connection, self.messages)

    async def _save_requests(self, requests: Sequence[DataSubjectRequest]) -> None:
        entries = [(request.id, entry, digest) for request in requests for entry, digest in request.entries]
        await self.connection.execute(SQL["save_requests"], *_request_columns(requests))
        if entries:
            await self.connection.execute(
                SQL["insert_timeline"],
                [request for request, _, _ in entries],
                [entry.seq for _, entry, _ in entries],
                [entry.event_id for _, entry, _ in entries],
                [entry.type for _, entry, _ in entries],
                [entry.at for _, entry, _ in entries],
                [entry.task_id for _, entry, _ in entries],
                [entry.processor for _, entry, _ in entries],
                [entry.actor for _, entry, _ in entries],
                [entry.detail_text for _, entry, _ in entries],
                [digest for _, _, digest in entries],
            )
        for request in requests:
            request.entries.clear()

    def _hold(self, rows: Sequence[Any]) -> None:
        for row in rows:
            self.requests[row["id"]] = _request(row)


def _request(row: Any) -> DataSubjectRequest:
    return DataSubjectRequest(
        id=row["id"],
        case_id=row["case_id"],
        client_id=row["client_id"],
        livemode=row["livemode"],
        right=Right(row["right"]),
        state=RequestState(row["state"]),
        version=row["version"],
        language=row["language"],
        received_at=row["received_at"],
        created_at=row["created_at"],
        due_on=row["due_on"],
        due_at=row["due_at"],
        round=row["round"],
        total_tasks=row["total_tasks"],
        open_tasks=row["open_tasks"],
        settled_tasks=row["settled_tasks"],
        waiting=row["waiting"],
        identities_confirmed=row["identities_confirmed"],
        complete=row["complete"],
        outcome=row["outcome"],
        attention=_loads(row["attention"]),
        advance=row["advance"],
        advance_after=row["advance_after"],
        timeline_seq=row["timeline_seq"],
        timeline_hash=row["timeline_hash"],
        traceparent=row["traceparent"],
        completed_at=row["completed_at"],
        informed_at=row["informed_at"],
        package_until=row["package_until"],
        package_open=row["package_open"],
    )


def _task(row: Any) -> ProcessorTask:
    return ProcessorTask(
        id=row["id"],
        request_id=row["request_id"],
        processor=row["processor"],
        action=Action(row["action"]),
        round=row["round"],
        ordinal=row["ordinal"],
        state=TaskState(row["state"]),
        manifest_version=row["manifest_version"],
        dispatch_no=row["dispatch_no"],
        phase=Phase(row["phase"]) if row["phase"] else None,
        progress_fence=row["progress_fence"],
        progress_sequence=row["progress_sequence"],
        attention=_loads(row["attention"]),
        outcome=row["outcome"],
        findings=row["findings"],
        late=[] if row["late"] == "[]" else json.loads(row["late"]),
        blocked=row["blocked"],
        dispatched_at=row["dispatched_at"],
        accepted_at=row["accepted_at"],
        settled_at=row["settled_at"],
        silence_at=row["silence_at"],
        silences=row["silences"],
        export=row["export"],
        unknown_fields=() if row["unknown_fields"] is None else tuple(json.loads(row["unknown_fields"])),
        behind=row["behind"],
        follows=row["follows"],
        held_until=row["held_until"],
    )


def _loads(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _dumps(value: object | None) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"))


def _request_columns(rows: Sequence[DataSubjectRequest]) -> list[list[Any]]:
    return [
        [one.id for one in rows],
        [one.state.value for one in rows],
        [one.version for one in rows],
        [one.round for one in rows],
        [one.total_tasks for one in rows],
        [one.open_tasks for one in rows],
        [one.settled_tasks for one in rows],
        [one.complete for one in rows],
        [one.outcome for one in rows],
        [_dumps(one.attention) for one in rows],
        [one.advance for one in rows],
        [one.advance_after for one in rows],
        [one.timeline_seq for one in rows],
        [one.timeline_hash for one in rows],
        [one.completed_at for one in rows],
        [one.informed_at for one in rows],
        [one.waiting for one in rows],
        [one.identities_confirmed for one in rows],
        [one.package_until for one in rows],
        [one.package_open for one in rows],
    ]


def _new_columns(rows: Sequence[ProcessorTask]) -> list[list[Any]]:
    return [
        [one.id for one in rows],
        [one.request_id for one in rows],
        [one.processor for one in rows],
        [one.action.value for one in rows],
        [one.round for one in rows],
        [one.ordinal for one in rows],
        [one.state.value for one in rows],
        [one.manifest_version for one in rows],
        [_dumps(one.attention) for one in rows],
        [one.outcome for one in rows],
        [one.settled_at for one in rows],
        [one.dispatch_no for one in rows],
        [one.blocked for one in rows],
        [one.dispatched_at for one in rows],
        [one.silence_at for one in rows],
        [_dumps(one.unknown_fields or None) for one in rows],
        [one.behind for one in rows],
        [one.follows for one in rows],
        [one.held_until for one in rows],
    ]


def _task_columns(rows: Sequence[ProcessorTask]) -> list[list[Any]]:
    return [
        [one.id for one in rows],
        [one.state.value for one in rows],
        [one.manifest_version for one in rows],
        [one.dispatch_no for one in rows],
        [one.phase.value if one.phase else None for one in rows],
        [one.progress_fence for one in rows],
        [one.progress_sequence for one in rows],
        [_dumps(one.attention) for one in rows],
        [one.outcome for one in rows],
        [one.findings for one in rows],
        [json.dumps(one.late) if one.late else "[]" for one in rows],
        [one.blocked for one in rows],
        [one.dispatched_at for one in rows],
        [one.accepted_at for one in rows],
        [one.settled_at for one in rows],
        [one.silence_at for one in rows],
        [one.silences for one in rows],
        [one.export for one in rows],
        [_dumps(one.unknown_fields or None) for one in rows],
        [one.behind for one in rows],
    ]


def _notice_columns(rows: Sequence[tuple[str, DataSubjectRequest, NoticeKind, datetime, datetime]]) -> list[list[Any]]:
    return [
        [notice for notice, *_ in rows],
        [request.id for _, request, *_ in rows],
        [request.case_id for _, request, *_ in rows],
        [kind.value for _, _, kind, *_ in rows],
        [silence_at for *_, silence_at, _ in rows],
        [at for *_, at in rows],
    ]
