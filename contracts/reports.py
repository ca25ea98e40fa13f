"""Messages from connector hosts to the orchestrator, on `habeas.reports.v1`."""

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.exports import ExportReceipt
from contracts.ids import RequestId, TaskId
from contracts.message import Message, Moment, ProcessorId
from contracts.outcomes import Outcome
from habeas.vocabulary import AttentionReason, Phase


class _Report(Message):
    task_id: TaskId
    request_id: RequestId
    processor: ProcessorId
    dispatch_no: Annotated[int, Field(ge=1, description="of the message that is answered")]
    at: Moment


class TaskAccepted(_Report):
    """The host has stored the task; sent when it is not settled within two seconds, and again every few minutes.

    `next_at` says when it goes on, where it waits for something: until then it need not be said again.
    """

    TYPE: ClassVar[str] = "task.accepted"

    next_at: Moment | None = None


class TaskProgressed(_Report):
    """The task changed phase, or needs a person. Ordered by (`fence`, `sequence`): an older one is ignored."""

    TYPE: ClassVar[str] = "task.progressed"

    phase: Phase
    fence: Annotated[int, Field(ge=0)]
    sequence: Annotated[int, Field(ge=0)]
    attempt: Annotated[int, Field(ge=0)]
    reason: Annotated[str, Field(max_length=64)] | None = None
    attention: AttentionReason | None = None
    next_at: Moment | None = None


class TaskSettled(_Report):
    """The task is over: what came of it. The first proven one wins.

    `cancelled` says that it ended because of a `task.cancelled`. `sealed` (resolve only) is a JWE under the
    processor's own key: `contracts.seal.SealedFindings`. `effects` counts calls that changed state.
    `export` names the object that holds what was exported; other attempts of the task left none.
    """

    TYPE: ClassVar[str] = "task.settled"

    outcome: Outcome
    cancelled: bool = False
    effects: Annotated[int, Field(ge=0)] = 0
    attempts: Annotated[int, Field(ge=0)] = 1
    sealed: Annotated[str | None, Field(max_length=900_000, repr=False)] = None
    export: ExportReceipt | None = None


class TaskUnsealable(_Report):
    """The host has no key for the seal's `kid`: seal again under one of `key_versions`."""

    TYPE: ClassVar[str] = "task.unsealable"

    kid: Annotated[str, Field(max_length=64)]
    key_versions: tuple[int, ...]
