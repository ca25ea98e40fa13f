"""Takes reports of connector hosts: a monotone compare-and-set on tasks, right under duplicates and any order."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from contracts.message import Message
from contracts.reports import TaskAccepted, TaskProgressed, TaskSettled, TaskUnsealable
from habeas.vocabulary import Action, AttentionReason
from services.chassis.kafka.consumer import Poison, Verdict
from services.chassis.kafka.incoming import Incoming
from services.chassis.postgres.pool import Connection
from services.orchestrator.domain.request import DataSubjectRequest
from services.orchestrator.domain.settlement import with_unknown_field
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import Directory
from services.orchestrator.handlers.dispatch_tasks import dispatch
from services.orchestrator.handlers.place_holds import Placed, place, save
from services.orchestrator.handlers.workspace import Workspace

Report = TaskAccepted | TaskProgressed | TaskSettled | TaskUnsealable


class RecordReports:
    """The handler of `habeas.reports.v1`."""

    def __init__(self, deps: Dependencies) -> None:
        """Record with `deps`."""
        self._deps = deps
        self._to_plan = False
        self._to_send = False

    async def __call__(self, connection: Connection, batch: Sequence[Incoming[Message]]) -> None:
        """Record a batch; a report on a task that its request does not have, or on another's, is a dead letter."""
        reports = cast("Sequence[Incoming[Report]]", batch)
        work = Workspace(connection)
        await work.lock({one.body.request_id for one in reports})
        await work.load_tasks(list({one.body.task_id for one in reports}))
        if wrong := [verdict for index, one in enumerate(reports) if (verdict := _verdict(work, index, one.body))]:
            raise Poison(*wrong)
        now = self._deps.clock.now()
        recorder = _Recorder(self._deps, work, now)
        for one in reports:
            recorder.record(one)
        if recorder.unsealable:
            directory = await Directory.read(connection, self._deps.root)
            for task, versions in recorder.unsealable:
                directory.hear(task.processor, versions)
            await dispatch(self._deps, work, [task for task, _ in recorder.unsealable], directory)
        await work.save()
        await save(connection, recorder.placed, now)
        self._to_plan = any(request.advance for request in work.requests.values())
        self._to_send = bool(work.messages)

    def ended(self, *, committed: bool) -> None:
        """Wake who goes on with what was committed."""
        if committed and self._to_plan:
            self._deps.wakes.planner.set()
        if committed and self._to_send:
            self._deps.wakes.relay.set()
        self._to_plan = self._to_send = False


def _verdict(work: Workspace, index: int, report: Report) -> Verdict | None:
    """Return why a report cannot be taken, if so."""
    task = work.tasks.get(report.task_id)
    if task is None or task.request_id != report.request_id:
        return Verdict(index, "unknown_task", counts=False)
    return None if task.processor == report.processor else Verdict(index, "task_of_another_processor")


class _Recorder:
    """Applies reports, one after the other, to the rows of one transaction."""

    def __init__(self, deps: Dependencies, work: Workspace, now: datetime) -> None:
        self._deps = deps
        self._work = work
        self._now = now
        self._silence_at = now + timedelta(seconds=deps.settings.silence_attention)
        self.unsealable: list[tuple[ProcessorTask, tuple[int, ...]]] = []  # with the versions that the host holds
        self.placed: list[Placed] = []

    def record(self, report: Incoming[Report]) -> None:
        body = report.body
        task = self._work.tasks[body.task_id]
        request = self._work.requests[task.request_id]
        match body:
            case TaskSettled():
                self._settled(request, task, body, report.event_id)
            case TaskAccepted():
                self._accepted(request, task, body, report.event_id)
            case TaskProgressed():
                self._progressed(request, task, body, report.event_id)
            case TaskUnsealable():
                self._unsealable(request, task, report.event_id, body)

    def _settled(self, request: DataSubjectRequest, task: ProcessorTask, body: TaskSettled, event_id: str) -> None:
        before = len(task.late)
        outcome = with_unknown_field(body.outcome) if task.unknown_fields and not body.cancelled else body.outcome
        if not task.settle(outcome.model_dump_json(), at=body.at, cancelled=body.cancelled):
            if len(task.late) > before:
                self._note(request, task, "task.answered_late", event_id, headline=outcome.headline.value)
            return
        resolves = task.action is Action.RESOLVE
        if resolves:
            task.findings = body.sealed
        if body.export is not None and task.action is Action.EXPORT:
            task.export = body.export.model_dump_json()
        self._work.task_closed(task)
        self._note(
            request,
            task,
            "task.cancelled" if body.cancelled else "task.settled",
            event_id,
            headline=None if resolves else outcome.headline.value,
            effects=None if resolves else body.effects,
            attempts=body.attempts,
        )
        self.placed += place(self._deps, request, task, body.outcome, self._now)
        request.hear_of_end(task.action)

    def _accepted(self, request: DataSubjectRequest, task: ProcessorTask, body: TaskAccepted, event_id: str) -> None:
        silence, needed = self._silent_from(body.next_at), task.attention
        if task.accept(body.at, silence):
            self._note(request, task, "task.accepted", event_id)
        elif task.hear(silence):  # said again, which is no news for the timeline
            self._work.touch_task(task)
        if task.attention is not needed:
            self._work.touch(request)
        self._review(request, task)

    def _progressed(
        self, request: DataSubjectRequest, task: ProcessorTask, body: TaskProgressed, event_id: str
    ) -> None:
        changed = task.progress(
            fence=body.fence,
            sequence=body.sequence,
            phase=body.phase,
            attention=body.attention,
            at=body.at,
            silence_at=self._silent_from(body.next_at),
        )
        if not changed:
            return
        self._note(
            request, task, "task.progressed", event_id, phase=body.phase.value, reason=body.reason, attempt=body.attempt
        )
        self._review(request, task)

    def _unsealable(
        self, request: DataSubjectRequest, task: ProcessorTask, event_id: str, body: TaskUnsealable
    ) -> None:
        """Seal once more, under a key that the host has; the second time it is a person's turn, who was shown it."""
        if not task.is_open or body.dispatch_no < task.dispatch_no:
            return
        if task.attention is not None and task.attention["reason"] == AttentionReason.UNSEALABLE.value:
            return
        self._note(request, task, "task.unsealable", event_id)
        task.need(AttentionReason.UNSEALABLE, self._now)
        self.unsealable.append((task, body.key_versions))
        self._review(request, task)

    def _silent_from(self, next_at: datetime | None) -> datetime:
        """Return when to wonder: a host that said when it goes on is not silent until then."""
        if next_at is None:
            return self._silence_at
        return max(self._silence_at, next_at + timedelta(seconds=self._deps.settings.silence_attention))

    def _review(self, request: DataSubjectRequest, task: ProcessorTask) -> None:
        """Let the planner sum up what the request needs; it alone decides that nothing is needed any more."""
        if task.attention is not None or request.attention is not None:
            request.wake_planner()

    def _note(
        self, request: DataSubjectRequest, task: ProcessorTask, kind: str, event_id: str, **detail: object
    ) -> None:
        request.note(
            kind,
            event_id=event_id,
            at=self._now,
            task_id=task.id,
            processor=task.processor,
            detail={name: value for name, value in detail.items() if value is not None},
        )
        self._work.touch_task(task)
        self._work.touch(request)
