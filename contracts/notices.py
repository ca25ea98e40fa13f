"""What the subject is to be told, on `habeas.notices.v1`, and what became of it, on `habeas.deliveries.v1`."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.ids import CaseId, NoticeId, RequestId
from contracts.message import Message, Moment
from contracts.outcomes import Line
from habeas.vocabulary import Headline, Language, NoticeKind, Right


class Recipient(BaseModel):
    """What one recipient of the data did (Article 19): its display name and lines."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: Annotated[str, Field(max_length=80)]
    lines: tuple[Line, ...]


class NoticeDue(Message):
    """Tell somebody. `sealed` is a JWE for the notifier: `contracts.seal.SealedNotice`.

    `not_after`: later than this it is no longer sent (a replayed old message does nothing).
    """

    TYPE: ClassVar[str] = "notice.due"

    notice_id: NoticeId
    case_id: CaseId
    request_id: RequestId
    kind: NoticeKind
    language: Language
    right: Right
    dispatch_no: Annotated[int, Field(ge=1)]
    not_after: Moment
    received_on: date
    due_on: date
    headline: Headline | None = None
    recipients: tuple[Recipient, ...] = ()
    sealed: Annotated[str, Field(max_length=900_000, repr=False)]


class _Delivery(Message):
    notice_id: NoticeId
    case_id: CaseId
    request_id: RequestId
    kind: NoticeKind
    at: Moment
    channel: Literal["email"] = "email"


class NoticeSent(_Delivery):
    """The receiving server took it."""

    TYPE: ClassVar[str] = "notice.sent"


class NoticeBounced(_Delivery):
    """It can not be delivered there. `reason` is a machine word or an SMTP enhanced status code."""

    TYPE: ClassVar[str] = "notice.bounced"

    reason: Annotated[str, Field(max_length=64)]


class NoticeUnknown(_Delivery):
    """Nobody knows whether it went out: it is held, shown and never silently sent again."""

    TYPE: ClassVar[str] = "notice.unknown"

    reason: Annotated[str, Field(max_length=64)]
