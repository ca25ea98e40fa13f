"""Bodies of the public HTTP API, as clients send and read them."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from contracts.ids import CaseId
from contracts.outcomes import Outcome
from habeas.vocabulary import (
    Action,
    Cause,
    IdentityCheckMethod,
    IdentityType,
    Language,
    Phase,
    Relation,
    RequestState,
    Right,
    Scope,
    TaskState,
)

MAX_IDENTITIES = 50
MAX_BATCH = 1_000


_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d")


def _written_out(value: object) -> object:
    """Refuse bare numbers and dates, which would be taken for a time that nobody meant."""
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC3339.match(value)):
        return value
    msg = "a time is written as in 2026-11-20T09:30:00Z"
    raise ValueError(msg)


class In(BaseModel):
    """A body that a client sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, str_strip_whitespace=True)


class Out(BaseModel):
    """A body that a client reads; clients tolerate fields that are added later."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class IdentityIn(In):
    """One identifier of the subject."""

    type: IdentityType = Field(examples=["email"])
    value: Annotated[str, StringConstraints(min_length=1, max_length=320)] = Field(
        examples=["jane@example.com"], repr=False
    )


class ContactIn(In):
    """Where notices go. Not an identity: nothing is searched by it."""

    email: Annotated[str, StringConstraints(min_length=3, max_length=320)] = Field(
        examples=["jane@example.com"], repr=False
    )


class SubjectIn(In):
    """The person."""

    identities: Annotated[tuple[IdentityIn, ...], Field(min_length=1, max_length=MAX_IDENTITIES)]
    contact: ContactIn | None = None
    language: Language = Language.ENGLISH
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = Field(default=None, examples=["NL"])


class RequesterIn(In):
    """Who asks."""

    relation: Relation = Relation.SELF


class IdentityCheckIn(In):
    """How it was established that the requester is the subject; `client_asserted` needs the scope `identity:assert`."""

    method: IdentityCheckMethod


class CorrectionIn(In):
    """Replace `from` by `to` in `field`, a key of the data register. Without `from`, it replaces what stands there."""

    field: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=64)] = Field(
        examples=["contact.email"]
    )
    old: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = Field(
        default=None, alias="from", examples=["old@example.com"], repr=False
    )
    new: Annotated[str, StringConstraints(min_length=1, max_length=1024)] = Field(
        alias="to", examples=["new@example.com"], repr=False
    )


class RectificationIn(In):
    """What is wrong and what is right (Article 16)."""

    corrections: Annotated[tuple[CorrectionIn, ...], Field(min_length=1, max_length=20)]


class RequestIn(In):
    """A request to file: one subject, one right."""

    right: Right = Field(examples=["erasure"])
    subject: SubjectIn
    requester: RequesterIn = RequesterIn()
    identity_check: IdentityCheckIn
    received_at: Annotated[datetime, BeforeValidator(_written_out)] | None = Field(
        default=None, description="when the person asked, RFC 3339 with a zone; default now; the clock runs from here"
    )
    reference: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        default=None, repr=False, description="the client's own; encrypted, returned as given"
    )
    rectification: RectificationIn | None = Field(default=None, description="goes with the right `rectification`")
    case: CaseId | None = None
    channel: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")] = "api"
    metadata: Annotated[
        dict[
            Annotated[str, StringConstraints(min_length=1, max_length=40)],
            Annotated[str, StringConstraints(max_length=500)],
        ],
        Field(max_length=20),
    ] = Field(default_factory=dict, description="no personal data")


class BatchIn(In):
    """Up to 1,000 requests; each is judged and stored by itself."""

    requests: Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=MAX_BATCH)]


class TaskCounts(Out):
    """How many tasks a request has, and how many are over."""

    total: int
    settled: int


class Attention(Out):
    """Why a person is needed, since when, and whose move it is."""

    reason: str
    since: datetime
    owner: str | None = None
    processor: str | None = None


class RequestOut(Out):
    """A request as its client sees it; identities are never echoed."""

    id: str
    object: Literal["request"] = "request"
    case: str
    right: Right
    state: RequestState
    received_at: datetime
    created_at: datetime
    due_on: date
    due_on_unpaused: date
    overdue: bool
    outcome: Outcome | None
    task_counts: TaskCounts | None
    attention: Attention | None
    livemode: bool
    channel: str
    reference: str | None
    metadata: dict[str, str]
    version: int
    completed_at: datetime | None
    informed_at: datetime | None
    follows: str | None = None
    cause: Cause | None = None


class TaskOut(Out):
    """A task as operators see it."""

    id: str
    object: Literal["task"] = "task"
    request: str
    processor: str
    processor_title: str | None
    action: Action
    round: int
    state: TaskState
    phase: Phase | None
    dispatch_no: int
    attention: Attention | None
    outcome: Outcome | None
    created_at: datetime
    dispatched_at: datetime | None
    accepted_at: datetime | None
    settled_at: datetime | None


class TimelineEntryOut(Out):
    """One fact of a request's life; `hash` chains it to the one before."""

    sequence: int
    event: str
    type: str
    at: datetime
    task: str | None
    processor: str | None
    actor: str | None
    detail: dict[str, Any]
    hash: str


class RecipientOut(Out):
    """What one recipient of the data was told and when (Article 19)."""

    processor: str
    title: str | None
    action: Action
    told_at: datetime | None
    answered_at: datetime | None
    channel: Literal["task"] = "task"
    outcome: Outcome | None
    not_told_reason: str | None


class ReasonIn(In):
    """Why an operator acts; recorded on the timeline, or with what it is about. No personal data."""

    reason: Annotated[str, StringConstraints(min_length=3, max_length=200)]


class Problem(BaseModel):
    """An error as RFC 9457 has it, with a stable `code` and whether trying again helps."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    detail: str
    retryable: bool = False
    request_id: str | None = Field(default=None, description="of the HTTP exchange: the X-Request-Id header")
    errors: list[dict[str, str]] = Field(default_factory=list, description="each with `pointer` and `detail`")


class BatchItemOut(Out):
    """What became of one request of a batch."""

    index: int
    status: int
    request: RequestOut | None = None
    problem: Problem | None = None


class BatchOut(Out):
    """Results in the order of the batch."""

    object: Literal["batch"] = "batch"
    results: tuple[BatchItemOut, ...]


ItemT = TypeVar("ItemT")


class Page(Out, Generic[ItemT]):
    """One page of a list; `next_cursor` is null on the last."""

    data: tuple[ItemT, ...]
    next_cursor: str | None = None


class DeadLetterOut(Out):
    """A record that a consumer could not take; its bytes are encrypted and expire."""

    id: int
    object: Literal["dead_letter"] = "dead_letter"
    service: str
    consumer: str
    topic: str
    partition: int
    offset: int
    reason: str
    proven: bool
    event: str | None
    at: datetime
    expires_at: datetime
    state: Literal["dead", "redriven", "discarded"]
    dealt_at: datetime | None = Field(default=None, description="when it was redriven or discarded")
    dealt_by: str | None = Field(default=None, description="client id of who did, or `command line`")
    dealt_reason: str | None = Field(default=None, description="why it was discarded")


class ConsumerOut(Out):
    """One consumer and whether it halted."""

    name: str
    object: Literal["consumer"] = "consumer"
    service: str
    halted: bool
    halted_reason: str | None
    halted_at: datetime | None


class KeyOut(Out):
    """An API key at its birth, the only time that `secret` is shown."""

    id: str
    object: Literal["api_key"] = "api_key"
    client: str
    scopes: tuple[Scope, ...]
    livemode: bool
    secret: str = Field(repr=False)


class KeyIn(In):
    """A key to issue; `client` names the system that gets it, and is made when there is none of that name."""

    client: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}$")] = Field(examples=["crm"])
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)]
    livemode: bool = Field(default=True, description="false: a key for rehearsals, `hab_test_...`")
    expires_at: Annotated[AwareDatetime, BeforeValidator(_written_out)] | None = None


class KeyInfoOut(Out):
    """An API key as operators see it: `hint` is its last four characters."""

    id: str
    object: Literal["api_key"] = "api_key"
    client: str
    client_name: str
    scopes: tuple[Scope, ...]
    livemode: bool
    hint: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
