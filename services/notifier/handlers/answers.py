"""Composes the report of what became of a notice: the same answer is always the same event."""

import hashlib
from collections.abc import Sequence

from contracts import ids
from contracts.notices import NoticeBounced, NoticeSent, NoticeUnknown
from contracts.topics import DELIVERIES
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.outgoing import Outgoing
from services.notifier.domain.notices import Answered, NoticeState


def report(composer: Composer, keys: ProcessorKeys, answered: Sequence[Answered]) -> list[Outgoing]:
    """Return the messages to the orchestrator, in the order of `answered`, proven with `keys`."""
    messages = []
    for one in answered:
        body = _body(one)
        messages.append(
            composer.compose(
                DELIVERIES,
                body,
                key=one.case_id,
                keys=keys,
                event_id=event_id(one.notice_id, body.TYPE, one.dispatch_no),
                subject=one.case_id,
                at=one.at,
                traceparent=one.traceparent,
            )
        )
    return messages


def event_id(notice_id: str, event_type: str, dispatch_no: int) -> str:
    """Return the event's id: a repeat of a repeat is known by it, and it sorts by the notice's time."""
    digest = hashlib.sha256(f"{notice_id}\x1f{event_type}\x1f{dispatch_no}".encode()).digest()
    return ids.derived("evt", ids.milliseconds_of(notice_id), digest)


def _body(one: Answered) -> NoticeSent | NoticeBounced | NoticeUnknown:
    shared = {
        "livemode": one.livemode,
        "notice_id": one.notice_id,
        "case_id": one.case_id,
        "request_id": one.request_id,
        "kind": one.kind,
        "at": one.at,
    }
    match one.state:
        case NoticeState.SENT:
            return NoticeSent.model_validate(shared)
        case NoticeState.BOUNCED:
            return NoticeBounced.model_validate({**shared, "reason": one.reason or "unspecified"})
        case NoticeState.UNKNOWN:
            return NoticeUnknown.model_validate({**shared, "reason": one.reason or "unspecified"})
        case _:
            msg = f"a notice that is {one.state} has no answer"
            raise ValueError(msg)
