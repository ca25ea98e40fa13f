"""The states of a notice and what one try to send it can come to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from contracts.notices import Recipient
from habeas.vocabulary import Headline, Language, NoticeKind, Right


class NoticeState(StrEnum):
    """How far a notice has come. `handing_over` is committed before the message itself leaves (SMTP's DATA)."""

    WAITING = "waiting"
    CLAIMED = "claimed"  # a sender has it; nothing of the message has left
    HANDING_OVER = "handing_over"  # the message may have left
    SENT = "sent"
    BOUNCED = "bounced"
    UNKNOWN = "unknown"  # nobody knows: held, never silently sent again
    LAPSED = "lapsed"  # its time was over; a later dispatch revives it


ANSWERED = frozenset({NoticeState.SENT, NoticeState.BOUNCED, NoticeState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Claim:
    """A notice that this sender claimed. Whoever has a lower `fence` than the row's was taken over."""

    notice_id: str
    fence: int
    attempts: int
    request_id: str
    livemode: bool
    kind: NoticeKind
    language: Language
    right: Right
    received_on: date
    due_on: date
    headline: Headline | None
    recipients: tuple[Recipient, ...]
    sealed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """A notice that has its answer, as it is reported: `state` is one of `ANSWERED`."""

    notice_id: str
    case_id: str
    request_id: str
    livemode: bool
    kind: NoticeKind
    dispatch_no: int
    state: NoticeState
    reason: str | None
    at: datetime
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiving server took it."""


@dataclass(frozen=True, slots=True)
class Bounced:
    """It can not be delivered there. `reason` is a machine word or an enhanced status code (RFC 3463)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The message may have left, and there was no answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class Later:
    """It certainly did not leave; try again."""

    reason: str


Verdict = Sent | Bounced | Unknown | Later


@dataclass(frozen=True, slots=True)
class Tried:
    """What one try came to; `wait` is in seconds and belongs to `Later`."""

    claim: Claim
    verdict: Verdict
    wait: float = 0.0


def pause_before(attempt: int, pauses: Sequence[float]) -> float:
    """Return the seconds to wait after the `attempt`th try (from 1); the last of `pauses` repeats."""
    return pauses[min(attempt, len(pauses)) - 1]


def state_of(verdict: Sent | Bounced | Unknown) -> tuple[NoticeState, str | None]:
    """Return the state and the reason that an answer leaves behind."""
    match verdict:
        case Sent():
            return NoticeState.SENT, None
        case Bounced(reason):
            return NoticeState.BOUNCED, reason
        case Unknown(reason):
            return NoticeState.UNKNOWN, reason
