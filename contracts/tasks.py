"""Messages from the orchestrator to one processor's host, on `habeas.tasks.<processor>.v1`."""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from contracts.ids import RequestId, TaskId
from contracts.message import ClientId, Message, Moment, ProcessorId
from habeas.vocabulary import Action, CountedFrom, Right


class RetentionRule(BaseModel):
    """Data of `category` is kept for `months` from the day that `counted_from` names, on `ground`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    category: str
    ground: str
    months: Annotated[int, Field(ge=1, le=1200)]
    counted_from: CountedFrom = CountedFrom.DATE


class _TaskMessage(Message):
    task_id: TaskId
    request_id: RequestId
    processor: ProcessorId
    client_id: ClientId
    dispatch_no: Annotated[int, Field(ge=1, description="counts up with each re-dispatch of one task")]


class TaskDispatched(_TaskMessage):
    """Do this. `sealed` is a JWE for the processor: `contracts.seal.SealedSubject`.

    `not_after`: the host refuses to start it later (a replayed old message does nothing). `forget_after`: the host
    forgets the subject then at the latest, whether or not `task.closed` ever came. `follows`: act on what was held
    back in this earlier task until `held_until`, known to the host by its hold; the seal then names no identities.
    """

    TYPE: ClassVar[str] = "task.dispatched"

    action: Action
    right: Right
    round: Annotated[int, Field(ge=0, description="1 to 3 for resolve rounds, 0 for the action itself")]
    manifest_version: Annotated[int, Field(ge=1)]
    not_after: Moment
    forget_after: Moment
    due_at: Moment
    sealed: Annotated[str, Field(max_length=900_000, repr=False)]
    retention: tuple[RetentionRule, ...] = ()
    purposes: tuple[str, ...] = ()
    follows: TaskId | None = None
    held_until: date | None = None


class TaskCancelled(_TaskMessage):
    """Stop before the next effect; answered by `task.settled` with what was done, if anything."""

    TYPE: ClassVar[str] = "task.cancelled"

    not_after: Moment


class TaskClosed(_TaskMessage):
    """The request is over: forget the subject; a tombstone without personal data stays."""

    TYPE: ClassVar[str] = "task.closed"
