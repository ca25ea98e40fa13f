"""Writes down what happens to requests: on their timelines, and where a person is needed, for all to see."""

from collections.abc import Mapping
from datetime import datetime

from contracts.requests import RequestNeedsAttention
from habeas.vocabulary import AttentionReason
from services.orchestrator.domain.request import DataSubjectRequest
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.workspace import Workspace


class Journal:
    """Writes about the requests that a workspace holds."""

    def __init__(self, messages: Messages, work: Workspace, now: datetime) -> None:
        """Write at `now`."""
        self._messages = messages
        self._work = work
        self._now = now

    def note(
        self,
        request: DataSubjectRequest,
        kind: str,
        *,
        task: ProcessorTask | None = None,
        actor: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Append a fact to the request's timeline, by `actor` if somebody did it; None in `detail` is left out."""
        request.note(
            kind,
            event_id=self._messages.event_id(request.id, kind, request.timeline_seq + 1),
            at=self._now,
            task_id=task.id if task else None,
            processor=task.processor if task else None,
            actor=actor,
            detail={name: value for name, value in (detail or {}).items() if value is not None},
        )

    def call_for_help(
        self,
        request: DataSubjectRequest,
        reason: AttentionReason,
        *,
        processor: str | None = None,
        why: str | None = None,
    ) -> None:
        """Let the request show that it needs a person, and tell of it once. `why` is no personal data."""
        if request.need(reason, since=self._now, processor=processor):
            request.version += 1
            detail = {"reason": reason, "processor": processor, "why": why}
            self.note(request, "request.needs_attention", detail=detail)
            self._work.send(self._messages.fact(RequestNeedsAttention, request, at=self._now, attention=reason))
