"""What an orchestrator in memory keeps of a request, and the messages between it and its hosts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from contracts.outcomes import Outcome
from habeas.vocabulary import Action, AttentionReason, IdentityType, Phase, RequestState, Right
from services.orchestrator.domain.request import DataSubjectRequest
from services.orchestrator.domain.task import ProcessorTask
from services.orchestrator.domain.timeline import ORIGIN, Entry, chain

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Command:
    """A message to a host."""

    task: str
    kind: str  # dispatched, cancelled
    dispatch_no: int


@dataclass(frozen=True)
class Report:
    """A message from a host."""

    task: str
    kind: str  # accepted, progressed, settled
    fence: int = 0
    phase: Phase = Phase.WORKING
    attention: AttentionReason | None = None
    outcome: Outcome | None = None
    cancelled: bool = False
    found: tuple[IdentityType, ...] = ()


@dataclass
class Case:
    """One request with what an orchestrator keeps beside it."""

    request: DataSubjectRequest
    types: set[IdentityType]
    tasks: dict[str, ProcessorTask] = field(default_factory=dict)
    entries: list[tuple[Entry, bytes]] = field(default_factory=list)
    cancel_acked: bool = False
    news: set[str] = field(default_factory=set)

    def of(self, action: Action) -> list[ProcessorTask]:
        return [task for task in self.tasks.values() if task.action is action]


def verified(entries: Iterable[tuple[Entry, bytes]], end: bytes) -> bool:
    """Whether every entry stands where it was written, and none is missing at the end."""
    previous, place = ORIGIN, 0
    for place, (entry, digest) in enumerate(entries, start=1):
        previous = chain(previous, entry)
        if entry.seq != place or digest != previous:
            return False
    return place > 0 and previous == end


def received(name: str) -> DataSubjectRequest:
    """Return a request as it is filed."""
    return DataSubjectRequest(
        id=name,
        case_id=f"cas-{name}",
        client_id="cli-1",
        livemode=True,
        right=Right.ERASURE,
        state=RequestState.RECEIVED,
        version=1,
        language="en",
        received_at=NOW,
        created_at=NOW,
        due_on=date(2026, 12, 21),
        due_at=NOW + timedelta(days=31),
        round=0,
        total_tasks=0,
        open_tasks=0,
        settled_tasks=0,
        waiting=False,
        identities_confirmed=False,
        complete=True,
        outcome=None,
        attention=None,
        advance=True,
        advance_after=None,
        timeline_seq=0,
        timeline_hash=ORIGIN,
        traceparent=None,
        completed_at=None,
        informed_at=None,
    )
