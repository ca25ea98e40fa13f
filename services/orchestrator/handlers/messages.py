"""What the orchestrator says: tasks to processors, facts to anyone, notices to the notifier, each with a stable id."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from contracts.ids import milliseconds_of
from contracts.notices import NoticeDue, Recipient
from contracts.outcomes import Outcome
from contracts.requests import RequestFact
from contracts.seal import SealedNotice, SealedSubject
from contracts.tasks import RetentionRule, TaskCancelled, TaskClosed, TaskDispatched
from contracts.topics import NOTICES, REQUESTS, TASKS
from habeas.vocabulary import Action, Language, NoticeKind
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.crypto.seal import seal
from services.chassis.kafka.outgoing import Outgoing
from services.orchestrator.domain.request import DataSubjectRequest
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.handlers.dependencies import Dependencies


class Messages:
    """Composes messages about requests; ids are derived, so that a restored database repeats none under a new id."""

    def __init__(self, deps: Dependencies) -> None:
        """Compose with the keys and settings of `deps`."""
        self._deps = deps
        # A message and the timeline's entry on it ask for the same id, one after the other.
        self._event_id = lru_cache(maxsize=16)(self._derived_event_id)

    def _derived_event_id(self, about: str, kind: str, *parts: str | int) -> str:
        return self._deps.root.derived_id("evt", milliseconds_of(about), about, kind, *parts)

    def task_id(self, request: str, processor: str, action: str, round_: int, ordinal: int = 0) -> str:
        """Return the id of a task: the same for the same request, processor, action, round and ordinal."""
        return self._deps.root.derived_id("tsk", milliseconds_of(request), request, processor, action, round_, ordinal)

    def event_id(self, about: str, kind: str, *parts: str | int) -> str:
        """Return the id of an event about a request, task or notice."""
        return self._event_id(about, kind, *parts)

    def dispatched(
        self,
        request: DataSubjectRequest,
        task: ProcessorTask,
        *,
        keys: ProcessorKeys,
        subject: SealedSubject,
        at: datetime,
        retention: tuple[RetentionRule, ...] = (),
    ) -> Outgoing:
        """Return `task.dispatched`, sealed to the processor; what an export leaves outlives the request."""
        settings = self._deps.settings
        longer = settings.package_lifetime if task.action is Action.EXPORT else 0.0
        body = TaskDispatched(
            livemode=request.livemode,
            task_id=task.id,
            request_id=request.id,
            processor=task.processor,
            client_id=request.client_id,
            dispatch_no=task.dispatch_no,
            action=task.action,
            right=request.right,
            round=task.round,
            manifest_version=task.manifest_version or 1,
            not_after=at + timedelta(seconds=settings.task_lifetime),
            forget_after=at + timedelta(seconds=settings.forget_after + longer),
            due_at=request.due_at,
            sealed=seal(keys, subject),
            retention=retention,
            follows=task.follows,
            held_until=task.held_until,
        )
        return self._task(request, task, body, keys, at)

    def cancelled(
        self, request: DataSubjectRequest, task: ProcessorTask, *, keys: ProcessorKeys, at: datetime
    ) -> Outgoing:
        """Return `task.cancelled`."""
        body = TaskCancelled(
            livemode=request.livemode,
            task_id=task.id,
            request_id=request.id,
            processor=task.processor,
            client_id=request.client_id,
            dispatch_no=task.dispatch_no,
            not_after=at + timedelta(seconds=self._deps.settings.task_lifetime),
        )
        return self._task(request, task, body, keys, at)

    def closed(
        self, request: DataSubjectRequest, task: ProcessorTask, *, keys: ProcessorKeys, at: datetime
    ) -> Outgoing:
        """Return `task.closed`."""
        body = TaskClosed(
            livemode=request.livemode,
            task_id=task.id,
            request_id=request.id,
            processor=task.processor,
            client_id=request.client_id,
            dispatch_no=task.dispatch_no,
        )
        return self._task(request, task, body, keys, at)

    def _task(
        self,
        request: DataSubjectRequest,
        task: ProcessorTask,
        body: TaskDispatched | TaskCancelled | TaskClosed,
        keys: ProcessorKeys,
        at: datetime,
    ) -> Outgoing:
        return self._deps.composer.compose(
            TASKS,
            body,
            key=request.id,
            keys=keys,
            event_id=self.event_id(task.id, body.TYPE, task.dispatch_no),
            subject=request.id,
            at=at,
            traceparent=request.traceparent,
        )

    def fact(self, kind: type[RequestFact], request: DataSubjectRequest, *, at: datetime, **more: Any) -> Outgoing:
        """Return a fact of class `kind`; the request's version orders it."""
        body = kind(
            livemode=request.livemode,
            request_id=request.id,
            case_id=request.case_id,
            client_id=request.client_id,
            right=request.right,
            state=request.state,
            version=request.version,
            at=at,
            due_on=request.due_on,
            **more,
        )
        return self._deps.composer.compose(
            REQUESTS,
            body,
            key=request.id,
            keys=self._deps.notifier,
            event_id=self.event_id(request.id, kind.TYPE, request.version),
            subject=request.id,
            at=at,
            traceparent=request.traceparent,
            sequence=request.version,
        )

    def notice_id(self, request: DataSubjectRequest, kind: NoticeKind, ordinal: int = 0) -> str:
        """Return the id of a notice: a notice of one kind about one request is sent once, whatever is restored."""
        return self._deps.root.derived_id("ntc", milliseconds_of(request.id), request.id, kind, "subject", ordinal)

    def notice(
        self,
        request: DataSubjectRequest,
        kind: NoticeKind,
        *,
        email: str,
        reference: str | None,
        at: datetime,
        dispatch_no: int = 1,
        outcome: Outcome | None = None,
        recipients: tuple[Recipient, ...] = (),
    ) -> Outgoing:
        """Return `notice.due`, with contact and reference sealed to the notifier."""
        notice = self.notice_id(request, kind)
        language = Language(request.language)
        sealed = SealedNotice(notice=notice, email=email, reference=reference, language=language)
        body = NoticeDue(
            livemode=request.livemode,
            notice_id=notice,
            case_id=request.case_id,
            request_id=request.id,
            kind=kind,
            language=language,
            right=request.right,
            dispatch_no=dispatch_no,
            not_after=at + timedelta(seconds=self._deps.settings.task_lifetime),
            received_on=request.received_at.date(),
            due_on=request.due_on,
            headline=outcome.headline if outcome else None,
            recipients=recipients,
            sealed=seal(self._deps.notifier, sealed),
        )
        return self._deps.composer.compose(
            NOTICES,
            body,
            key=request.case_id,
            keys=self._deps.notifier,
            event_id=self.event_id(notice, body.TYPE, dispatch_no),
            subject=request.case_id,
            at=at,
            traceparent=request.traceparent,
        )
