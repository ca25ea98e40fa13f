"""One data subject request: its states, and what may follow each."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from habeas.vocabulary import Action, AttentionReason, RequestState, Right
from services.orchestrator.domain.errors import NotAllowed
from services.orchestrator.domain.timeline import Entry, chain

# What may follow each state. Terminal states are followed by nothing: what changes the truth opens a new request.
FOLLOWS: dict[RequestState, frozenset[RequestState]] = {
    RequestState.RECEIVED: frozenset(
        {
            RequestState.AWAITING_IDENTITY,
            RequestState.AWAITING_APPROVAL,
            RequestState.SCHEDULED,
            RequestState.IN_PROGRESS,
            RequestState.CANCELLED,
            RequestState.REFUSED,
            RequestState.MERGED,
        }
    ),
    RequestState.AWAITING_IDENTITY: frozenset(
        {
            RequestState.AWAITING_APPROVAL,
            RequestState.SCHEDULED,
            RequestState.IN_PROGRESS,
            RequestState.CANCELLED,
            RequestState.REFUSED,
            RequestState.LAPSED,
        }
    ),
    RequestState.AWAITING_APPROVAL: frozenset(
        {RequestState.SCHEDULED, RequestState.IN_PROGRESS, RequestState.CANCELLED, RequestState.REFUSED}
    ),
    RequestState.SCHEDULED: frozenset({RequestState.IN_PROGRESS, RequestState.CANCELLED, RequestState.REFUSED}),
    RequestState.IN_PROGRESS: frozenset(
        {RequestState.CANCELLING, RequestState.CANCELLED, RequestState.AWAITING_RELEASE, RequestState.COMPLETED}
    ),
    RequestState.CANCELLING: frozenset({RequestState.CANCELLED, RequestState.COMPLETED}),
    RequestState.AWAITING_RELEASE: frozenset({RequestState.COMPLETED}),
    RequestState.COMPLETED: frozenset(),
    RequestState.REFUSED: frozenset(),
    RequestState.CANCELLED: frozenset(),
    RequestState.LAPSED: frozenset(),
    RequestState.MERGED: frozenset(),
}


@dataclass(slots=True)
class DataSubjectRequest:
    """A request while its row is locked. Methods decide; whoever loaded it saves it."""

    id: str
    case_id: str
    client_id: str
    livemode: bool
    right: Right
    state: RequestState
    version: int
    language: str
    received_at: datetime
    created_at: datetime
    due_on: date
    due_at: datetime
    round: int
    total_tasks: int
    open_tasks: int
    settled_tasks: int
    waiting: bool
    identities_confirmed: bool
    complete: bool
    outcome: str | None
    attention: dict[str, Any] | None
    advance: bool
    advance_after: datetime | None
    timeline_seq: int
    timeline_hash: bytes
    traceparent: str | None
    completed_at: datetime | None
    informed_at: datetime | None
    package_until: datetime | None = None  # until when the copy of the data is kept
    package_open: bool = False  # whether it is still there
    entries: list[tuple[Entry, bytes]] = field(default_factory=list)

    def move(self, to: RequestState) -> None:
        """Go to another state; raise `NotAllowed` where the life of a request has no such step."""
        if to not in FOLLOWS[self.state]:
            raise NotAllowed("illegal_transition", f"A request that is {self.state.value} cannot become {to.value}.")
        self.state = to
        self.version += 1

    def note(
        self,
        kind: str,
        *,
        event_id: str,
        at: datetime,
        task_id: str | None = None,
        processor: str | None = None,
        actor: str | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Append a fact to the timeline; no personal data in `detail`."""
        entry = Entry(
            seq=self.timeline_seq + 1,
            event_id=event_id,
            type=kind,
            at=at,
            task_id=task_id,
            processor=processor,
            actor=actor,
            detail=detail or {},
        )
        self.timeline_seq = entry.seq
        self.timeline_hash = chain(self.timeline_hash, entry)
        self.entries.append((entry, self.timeline_hash))

    def need(self, reason: AttentionReason, *, since: datetime, processor: str | None = None) -> bool:
        """Show it to an operator; return whether that is news."""
        if self.attention is not None and self.attention["reason"] == reason.value:
            return False
        self.attention = {"reason": reason.value, "since": since.isoformat(), "processor": processor}
        return True

    def needs_nothing(self) -> None:
        """Take it off the operators' list."""
        self.attention = None

    def needs_nothing_more(self, reason: AttentionReason) -> None:
        """Take it off the operators' list if it is there for `reason`."""
        if self.attention is not None and self.attention["reason"] == reason.value:
            self.attention = None

    def hear_of_end(self, action: Action) -> None:
        """Let the planner look where the end of a task may let others go, or ends the request."""
        follows = self.waiting or self.state is RequestState.CANCELLING
        if self.open_tasks == 0 or action is Action.RESOLVE or follows:
            self.wake_planner()

    def wake_planner(self, at: datetime | None = None) -> None:
        """Ask the planner to look, now or at a time."""
        self.advance = True
        self.advance_after = at
