"""What the API answers, as types that tolerate fields and words which a newer server adds."""

from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from habeas.client.errors import HabeasProblem
from habeas.vocabulary import (
    TERMINAL_REQUEST_STATES,
    Action,
    Cause,
    Checked,
    Disposition,
    Headline,
    IdentityType,
    Phase,
    RequestState,
    Right,
    TaskState,
)

T = TypeVar("T")
# The enumeration where the word is known, the plain string where a newer server knows more words than this client.
Word = Annotated[T | str, Field(union_mode="left_to_right")]


class Answer(BaseModel):
    """What every answer has in common."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Line(Answer):
    """What became of one category of data; `count` is in records."""

    category: str
    disposition: Word[Disposition]
    count: int
    checked: Word[Checked]
    ground: str | None = None
    until: date | None = None
    reason: str | None = None


class Outcome(Answer):
    """What came of a task or a request: one headline over its lines."""

    headline: Word[Headline]
    lines: tuple[Line, ...] = ()
    complete: bool = True


class Attention(Answer):
    """Why a person is needed, since when, and whose move it is."""

    reason: str
    since: datetime | None = None
    owner: str | None = None
    processor: str | None = None


class TaskCounts(Answer):
    """How many tasks a request has, and how many are over."""

    total: int
    settled: int


class Request(Answer):
    """A request as its client sees it: never with identities; `reference` is the client's own, given back."""

    id: str
    case: str
    right: Word[Right]
    state: Word[RequestState]
    received_at: datetime
    created_at: datetime | None = None
    due_on: date
    due_on_unpaused: date | None = None
    overdue: bool = False
    outcome: Outcome | None = None
    task_counts: TaskCounts | None = None
    attention: Attention | None = None
    livemode: bool = True
    channel: str = "api"
    reference: str | None = Field(default=None, repr=False)
    metadata: dict[str, str] = Field(default_factory=dict)
    version: int = 0
    completed_at: datetime | None = None
    informed_at: datetime | None = None
    follows: str | None = None
    cause: Word[Cause] | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the request is over, well or badly."""
        return self.state in TERMINAL_REQUEST_STATES


class Task(Answer):
    """One action at one processor for one request."""

    id: str
    request: str
    processor: str
    processor_title: str | None = None
    action: Word[Action]
    round: int = 0
    state: Word[TaskState]
    phase: Word[Phase] | None = None
    dispatch_no: int = 0
    attention: Attention | None = None
    outcome: Outcome | None = None
    created_at: datetime | None = None
    dispatched_at: datetime | None = None
    accepted_at: datetime | None = None
    settled_at: datetime | None = None


class TimelineEntry(Answer):
    """One fact of a request's life; `hash` chains it to the one before."""

    sequence: int
    event: str
    type: str
    at: datetime
    task: str | None = None
    processor: str | None = None
    actor: str | None = None
    detail: dict[str, Any] = Field(default_factory=dict)
    hash: str | None = None


class Recipient(Answer):
    """What one recipient of the data was told, and when (Article 19)."""

    processor: str
    title: str | None = None
    action: Word[Action]
    told_at: datetime | None = None
    answered_at: datetime | None = None
    channel: str = "task"
    outcome: Outcome | None = None
    not_told_reason: str | None = None


class Asks(Answer):
    """What a manifest that waits would newly be allowed: to see, to resolve and to do."""

    accepts: tuple[Word[IdentityType], ...] = ()
    resolves: tuple[Word[IdentityType], ...] = ()
    actions: tuple[Word[Action], ...] = ()
    fields: tuple[str, ...] = ()


class Act(Answer):
    """What somebody deliberately did with a processor; `actor` is the id of a client."""

    act: str
    at: datetime
    actor: str
    detail: dict[str, Any] = Field(default_factory=dict)


class Processor(Answer):
    """A processor as the orchestrator knows it."""

    id: str
    kind: str
    livemode: bool = True
    state: str
    title: str | None = None
    owner: str | None = None
    country: str | None = None
    safeguard: str | None = None
    moved_from: str | None = None
    moved_at: datetime | None = None
    manifest_version: int | None = None
    pending_manifest_version: int | None = None
    pending_asks: Asks | None = None
    actions: tuple[Word[Action], ...] = ()
    accepts: tuple[Word[IdentityType], ...] = ()
    resolves: tuple[Word[IdentityType], ...] = ()
    open_tasks: int = 0
    enrolled_at: datetime | None = None
    enrolled_by: str | None = None
    approved_at: datetime | None = None
    approved_by: str | None = None
    announced_at: datetime | None = None
    retired_at: datetime | None = None
    retired_reason: str | None = None
    retired_by: str | None = None
    secret_version: int = 1
    min_secret_version: int = 1
    announced_versions: tuple[int, ...] = ()
    rotated_at: datetime | None = None
    rotated_by: str | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    acts: tuple[Act, ...] = ()


class Enrolment(Answer):
    """The enrolment secret (base64 of 32 bytes) of one version, for a key file in the connector host's folder."""

    processor: str
    kind: str
    livemode: bool = True
    enrolment: str
    version: int
    secret: str = Field(repr=False)


class DeadLetter(Answer):
    """A record that a consumer could not take; its bytes stay encrypted at the server, and expire."""

    id: int | str
    service: str
    consumer: str
    topic: str
    partition: int
    offset: int
    reason: str
    proven: bool = False
    event: str | None = None
    at: datetime
    expires_at: datetime | None = None
    state: str
    dealt_at: datetime | None = None
    dealt_by: str | None = None
    dealt_reason: str | None = None


class Consumer(Answer):
    """One consumer of one service, and whether it halted."""

    name: str
    service: str
    halted: bool
    halted_reason: str | None = None
    halted_at: datetime | None = None


class Page(Answer, Generic[T]):
    """One page of a list; `next_cursor` is None on the last."""

    data: tuple[T, ...]
    next_cursor: str | None = None


class FiledOne(Answer):
    """What became of one request of a batch: the request, or the problem document that refused it."""

    index: int
    status: int
    request: Request | None = None
    problem: dict[str, Any] | None = None

    @property
    def error(self) -> HabeasProblem | None:
        """The refusal as the exception that filing it alone would have raised."""
        return HabeasProblem.read(self.problem, status=self.status, request_id=None) if self.problem else None


class FiledMany(Answer):
    """Results in the order of the batch."""

    results: tuple[FiledOne, ...]
