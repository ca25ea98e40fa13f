"""One processor's share of a request: what a report may change, and that nothing ever goes back."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from habeas.vocabulary import Action, AttentionReason, Phase, TaskState

# What is over once a host has taken the task: it speaks, and could open the seal.
ENDED_BY_AN_ANSWER = frozenset({AttentionReason.SILENT.value, AttentionReason.UNSEALABLE.value})


@dataclass(slots=True)
class ProcessorTask:
    """A task while its request's row is locked."""

    id: str
    request_id: str
    processor: str
    action: Action
    round: int
    state: TaskState
    ordinal: int = 0
    manifest_version: int | None = None
    dispatch_no: int = 0
    phase: Phase | None = None
    progress_fence: int = -1
    progress_sequence: int = -1
    attention: dict[str, Any] | None = None
    outcome: str | None = None  # contracts.outcomes.Outcome as JSON
    findings: str | None = None
    late: list[dict[str, Any]] = field(default_factory=list)
    blocked: bool = False
    dispatched_at: datetime | None = None
    accepted_at: datetime | None = None
    settled_at: datetime | None = None
    silence_at: datetime | None = None
    silences: int = 0
    export: str | None = None  # contracts.exports.ExportReceipt as JSON, of the report that settled it
    unknown_fields: tuple[str, ...] = ()  # fields of a rectification that this processor does not know
    behind: str | None = None  # the request that has to end before this task may be sent
    follows: str | None = None  # the task whose held items it acts on, instead of searching
    held_until: date | None = None  # which of them: those that were kept until this day

    @property
    def is_open(self) -> bool:
        """Whether it is still to be settled."""
        return not self.state.is_final

    @property
    def was_sent(self) -> bool:
        """Whether a host may know of it."""
        return self.dispatch_no > 0

    def dispatch(self, at: datetime, silence_at: datetime) -> None:
        """Count one more sending. The state moves on from ready, and stays where it is for a repeat."""
        if self.state in (TaskState.WAITING, TaskState.READY):
            self.state = TaskState.DISPATCHED
        self.dispatch_no += 1
        self.dispatched_at = self.dispatched_at or at
        self.silence_at = silence_at
        self.blocked, self.behind = False, None
        if self.waits_for_a_person:
            self.attention = None

    def call_off_again(self, silence_at: datetime) -> None:
        """Count one more message to its host, which says that it is called off."""
        self.dispatch_no += 1
        self.silence_at = silence_at

    @property
    def waits_for_a_person(self) -> bool:
        """Whether the request that it waits for needs a person."""
        return self.attention is not None and self.attention["reason"] == AttentionReason.WAITS_FOR_ANOTHER.value

    def wait_behind(self, request: str, since: datetime, *, stuck: bool) -> None:
        """Wait until another request ends, or its task at this processor does; `stuck` when that needs a person."""
        self.blocked, self.behind = True, request
        if stuck:
            self.need(AttentionReason.WAITS_FOR_ANOTHER, since)
        elif self.waits_for_a_person:
            self.attention = None

    def accept(self, at: datetime, silence_at: datetime) -> bool:
        """Note that a host has it; False when that changes nothing."""
        if self.state not in (TaskState.DISPATCHED, TaskState.READY):
            return False
        self.state = TaskState.ACCEPTED
        self.accepted_at = at
        self.silence_at = silence_at
        self.silences = 0
        if self.attention is not None and self.attention["reason"] in ENDED_BY_AN_ANSWER:
            self.attention = None
        self.phase = self.phase or Phase.WORKING
        return True

    def progress(
        self,
        *,
        fence: int,
        sequence: int,
        phase: Phase,
        attention: AttentionReason | None,
        at: datetime,
        silence_at: datetime,
    ) -> bool:
        """Note what it is doing; an older word than the last (by fence, then sequence) changes nothing."""
        if not self.is_open or (fence, sequence) <= (self.progress_fence, self.progress_sequence):
            return False
        self.accept(at, silence_at)
        self.progress_fence, self.progress_sequence, self.phase = fence, sequence, phase
        if attention is None:
            self.attention = None
        else:
            self.need(attention, at)
        self.hear(silence_at)
        return True

    def hear(self, silence_at: datetime) -> bool:
        """Note that a host still has it; False when that changes nothing.

        It is not silent then. What a person was called for is asked about as seldom as before.
        """
        if self.state is not TaskState.ACCEPTED:
            return False
        before = (self.attention, self.silence_at, self.silences)
        if self.attention is not None and self.attention["reason"] == AttentionReason.SILENT.value:
            self.attention = None
        if self.attention is None:
            self.silence_at, self.silences = silence_at, 0
        else:
            self.silence_at = max(self.silence_at or silence_at, silence_at)
        return before != (self.attention, self.silence_at, self.silences)

    def need(self, reason: AttentionReason, since: datetime) -> None:
        """Show it to an operator; the time of the first call for one reason stays."""
        if self.attention is None or self.attention["reason"] != reason.value:
            self.attention = {"reason": reason.value, "since": since.isoformat()}

    def settle(self, outcome: str, *, at: datetime, cancelled: bool = False) -> bool:
        """Take the first outcome; a later, different one is kept as late evidence and changes nothing (False)."""
        if not self.is_open:
            if not self._heard(outcome):
                self.late.append({"at": at.isoformat(), "outcome": outcome, "cancelled": cancelled})
            return False
        self.state = TaskState.CANCELLED if cancelled else TaskState.SETTLED
        self.outcome = outcome
        self.settled_at = at
        self.phase = self.attention = self.silence_at = None
        self.blocked, self.behind = False, None
        return True

    def _heard(self, outcome: str) -> bool:
        """Whether this was said before. Compared as JSON: what was stored comes back in another spelling."""
        said = [self.outcome, *(one["outcome"] for one in self.late)]
        return json.loads(outcome) in [json.loads(one) for one in said if one is not None]
