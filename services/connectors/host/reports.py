"""Composes reports: ids that are the same however often one is made, proven with the processor's newest keys."""

import hashlib
from datetime import datetime, timedelta

from contracts import ids
from contracts.message import Message
from contracts.processors import ProcessorAnnounced
from contracts.reports import TaskAccepted, TaskProgressed, TaskSettled, TaskUnsealable
from contracts.topics import PROCESSORS, REPORTS
from services.chassis.clock import Clock
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.outgoing import Outgoing
from services.connectors.domain.claimed import Answered, Claimed, PutDown, Told
from services.connectors.host.served import Served

Reported = Told | Claimed
SOON = timedelta(seconds=5)


class Reports:
    """Makes the messages of this service."""

    def __init__(self, composer: Composer, clock: Clock) -> None:
        """Compose with `composer`, dated by `clock`."""
        self._composer = composer
        self._clock = clock

    def accepted(
        self, task: Reported, dispatch_no: int, keys: ProcessorKeys, *, until: datetime, again: bool = False
    ) -> Outgoing:
        """Return `task.accepted`; `until` is when it goes on, or about now where it does not wait."""
        now = self._clock.now()
        body = TaskAccepted(
            livemode=task.livemode,
            task_id=task.id,
            request_id=task.request_id,
            processor=task.processor,
            dispatch_no=dispatch_no,
            at=now,
            next_at=until if until > now + SOON else None,
        )
        return self._report(body, task, keys, dispatch_no, *([int(until.timestamp())] if again else []))

    def settled(self, task: Reported, dispatch_no: int, answer: Answered, keys: ProcessorKeys) -> Outgoing:
        """Return `task.settled`."""
        body = TaskSettled(
            livemode=task.livemode,
            task_id=task.id,
            request_id=task.request_id,
            processor=task.processor,
            dispatch_no=dispatch_no,
            at=self._clock.now(),
            outcome=answer.outcome,
            cancelled=answer.cancelled,
            effects=answer.effects,
            attempts=answer.attempts,
            sealed=answer.findings,
            export=answer.export,
        )
        return self._report(body, task, keys, dispatch_no)

    def progressed(
        self, task: Reported, dispatch_no: int, fence: int, put_down: PutDown, keys: ProcessorKeys
    ) -> Outgoing:
        """Return `task.progressed`; a worker reports once under each fence, so its sequence is always 0."""
        now = self._clock.now()
        assert put_down.phase is not None  # noqa: S101  # only phases are reported
        waits = put_down.state != "parked"
        body = TaskProgressed(
            livemode=task.livemode,
            task_id=task.id,
            request_id=task.request_id,
            processor=task.processor,
            dispatch_no=dispatch_no,
            at=now,
            phase=put_down.phase,
            fence=fence,
            sequence=0,
            attempt=put_down.attempt,
            reason=put_down.reason,
            attention=put_down.attention,
            next_at=now + timedelta(seconds=put_down.after) if waits else None,
        )
        return self._report(body, task, keys, dispatch_no, fence)

    def unsealable(self, task: Reported, dispatch_no: int, kid: str, served: Served) -> Outgoing:
        """Return `task.unsealable`."""
        body = TaskUnsealable(
            livemode=task.livemode,
            task_id=task.id,
            request_id=task.request_id,
            processor=task.processor,
            dispatch_no=dispatch_no,
            at=self._clock.now(),
            kid=kid,
            key_versions=served.key_versions,
        )
        return self._report(body, task, served.keys, dispatch_no)

    def announced(self, served: Served) -> Outgoing:
        """Return `processor.announced`."""
        body: ProcessorAnnounced = served.announcement(self._clock)
        return self._composer.compose(
            PROCESSORS,
            body,
            key=served.id,
            keys=served.keys,
            event_id=ids.new("evt"),
            subject=served.id,
            at=body.at,
        )

    def _report(self, body: Message, task: Reported, keys: ProcessorKeys, *number: int) -> Outgoing:
        name = "\x1f".join((task.id, body.TYPE, *(str(one) for one in number)))
        return self._composer.compose(
            REPORTS,
            body,
            key=task.request_id,
            keys=keys,
            event_id=ids.derived("evt", ids.milliseconds_of(task.id), hashlib.sha256(name.encode()).digest()),
            subject=task.request_id,
            at=self._clock.now(),
            traceparent=task.traceparent,
        )
