"""Facts about requests, on `habeas.requests.v1`: for the notifier's webhooks and for anyone; no personal data."""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from contracts.ids import CaseId, RequestId
from contracts.message import ClientId, Message, Moment
from contracts.outcomes import Outcome
from habeas.vocabulary import AttentionReason, Cause, RequestState, Right


class RequestFact(Message):
    """What all facts carry: the request, its state after the fact, and the version that orders its facts."""

    request_id: RequestId
    case_id: CaseId
    client_id: ClientId
    right: Right
    state: RequestState
    version: Annotated[int, Field(ge=1)]
    at: Moment
    due_on: date


class RequestReceived(RequestFact):
    """A request was filed and stored, or follows from another whose truth has changed, for `cause`."""

    TYPE: ClassVar[str] = "request.received"

    follows: RequestId | None = None
    cause: Cause | None = None


class RequestStarted(RequestFact):
    """Its tasks are being sent out."""

    TYPE: ClassVar[str] = "request.started"


class RequestNeedsAttention(RequestFact):
    """It can not go on without a person."""

    TYPE: ClassVar[str] = "request.needs_attention"

    attention: AttentionReason


class RequestCompleted(RequestFact):
    """Every processor has answered; this is what came of it."""

    TYPE: ClassVar[str] = "request.completed"

    outcome: Outcome


class RequestCancelled(RequestFact):
    """It was withdrawn before anything was changed."""

    TYPE: ClassVar[str] = "request.cancelled"
