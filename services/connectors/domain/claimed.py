"""A task in a worker's hands, and the ways in which it leaves them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from contracts.exports import ExportReceipt
from contracts.outcomes import Line, Outcome
from contracts.seal import SealedSubject
from contracts.tasks import TaskDispatched
from habeas.engine import OutcomeLine
from habeas.sdk import Action, Correction, Identity, RetentionRule, Right, Task
from habeas.vocabulary import AttentionReason, Checked, CountedFrom, Disposition, Phase

_JSON = json.JSONEncoder(separators=(",", ":"))
ALL = "all"  # the category of a line that speaks of the processor as a whole


@dataclass(frozen=True, slots=True)
class Told:
    """A task as far as a report names it."""

    id: str
    request_id: str
    processor: str
    livemode: bool
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Followed:
    """A hold that has ended: what `task` kept until `until` is to be acted on."""

    task: str
    until: date | None


@dataclass(slots=True)
class Claimed:
    """A row of `tasks` under `fence`. `dispatch_no` and `cancelled` follow what the database says at each write."""

    id: str
    request_id: str
    processor: str
    livemode: bool
    dispatch_no: int
    cancelled: bool
    action: str
    right: str
    due_at: datetime | None
    not_after: datetime | None
    seal: str = field(repr=False)
    rules: str
    traceparent: str | None
    fence: int
    tries: int
    attempt: int
    retries: int
    max_passes: int
    phase: str | None
    attention: str | None
    reason: str | None
    failing_since: datetime | None
    journal: Sequence[tuple[bytes | None, bytes]] = ()
    journaled: int = 0
    claimed_as: tuple[int, bool] = (0, False)

    @classmethod
    def of(cls, row: Any) -> "Claimed":
        """Take a row of the query `claim`."""
        claimed = cls(**dict(row))
        claimed.claimed_as = (claimed.dispatch_no, claimed.cancelled)
        return claimed

    @classmethod
    def at_once(
        cls, message: TaskDispatched, *, cancelled: bool, max_passes: int, traceparent: str | None
    ) -> "Claimed":
        """Take what is being stored as claimed by the worker of this process."""
        claimed = cls(
            id=message.task_id,
            request_id=message.request_id,
            processor=message.processor,
            livemode=message.livemode,
            dispatch_no=message.dispatch_no,
            cancelled=cancelled,
            action=message.action.value,
            right=message.right.value,
            due_at=message.due_at,
            not_after=message.not_after,
            seal=message.sealed,
            rules=rules_of(message),
            traceparent=traceparent,
            fence=1,
            tries=1,
            attempt=1,
            retries=0,
            max_passes=max_passes,
            phase=None,
            attention=None,
            reason=None,
            failing_since=None,
        )
        claimed.claimed_as = (claimed.dispatch_no, cancelled)
        return claimed

    @property
    def asked_again(self) -> bool:
        """Whether a dispatch or a cancel came since it was claimed."""
        return self.claimed_as != (self.dispatch_no, self.cancelled)

    @property
    def follows(self) -> Followed | None:
        """Return whose held items it is about, where it follows another task."""
        told = _NONE if self.rules == _NO_RULES else json.loads(self.rules)
        if told.get("follows") is None:
            return None
        until = told["held_until"]
        return Followed(told["follows"], None if until is None else date.fromisoformat(until))

    def task(self, subject: SealedSubject) -> Task:
        """Return the task as the engine takes it."""
        rules = _NONE if self.rules == _NO_RULES else json.loads(self.rules)
        return Task(
            id=self.id,
            request_id=self.request_id,
            processor=self.processor,
            action=Action(self.action),
            right=Right(self.right),
            identities=tuple(Identity(one.type, one.value) for one in subject.identities),
            livemode=self.livemode,
            due_at=self.due_at,
            not_after=self.not_after,
            retention=tuple(_rule(*rule) for rule in rules["retention"]),
            corrections=tuple(Correction(one.field, one.old, one.new) for one in subject.corrections),
            purposes=tuple(rules["purposes"]),
        )


def rules_of(message: TaskDispatched) -> str:
    """Return retention, purposes and what it follows as JSON; none of it is personal data."""
    if not message.retention and not message.purposes and message.follows is None:
        return _NO_RULES
    retention = [(rule.category, rule.ground, rule.months, rule.counted_from) for rule in message.retention]
    rules: dict[str, Any] = {"retention": retention, "purposes": message.purposes}
    if message.follows is not None:
        until = message.held_until
        rules |= {"follows": message.follows, "held_until": None if until is None else until.isoformat()}
    return json.dumps(rules)


def _rule(category: str, ground: str, months: int, counted_from: str = CountedFrom.DATE) -> RetentionRule:
    return RetentionRule(category, ground, months, CountedFrom(counted_from))


_NO_RULES = '{"retention":[],"purposes":[]}'
_NONE: Mapping[str, Any] = json.loads(_NO_RULES)


@dataclass(frozen=True, slots=True)
class HoldRow:
    """What is kept of a task on one ground until one day: its items, sealed under a data key of their own."""

    ordinal: int
    ground: str
    until: date | None
    count: int
    wrapped: bytes = field(repr=False)
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """It is over. `findings` is a seal under the processor's own key.

    `holds` are placed, and what was `released` is shredded, in the transaction that ends it.
    """

    outcome: Outcome
    cancelled: bool = False
    effects: int = 0
    attempts: int = 0
    findings: str | None = field(default=None, repr=False)
    export: ExportReceipt | None = None
    holds: tuple[HoldRow, ...] = ()
    released: Followed | None = None

    def stored(self) -> str:
        """Return it as JSON, without the findings."""
        told: dict[str, object] = {"cancelled": self.cancelled, "effects": self.effects, "attempts": self.attempts}
        if self.export is not None:
            told["export"] = self.export.model_dump()
        more = _JSON.encode(told)
        return f'{{"outcome":{self.outcome.model_dump_json()},{more[1:]}'

    @classmethod
    def read(cls, stored: str, findings: str | None) -> "Answered":
        """Return what `stored` gave."""
        told = json.loads(stored)
        outcome = Outcome.model_validate(told["outcome"])
        export = ExportReceipt.model_validate(told["export"]) if "export" in told else None
        return cls(outcome, told["cancelled"], told["effects"], told["attempts"], findings, export)


@dataclass(frozen=True, slots=True)
class PutDown:
    """It is not over. `after` seconds it is due again; `state` `parked` and `unsealable` wait to be asked for.

    `kid` names the key that was wanted where the seal could not be opened; `failing_since` is when the first of the
    tries failed that all failed.
    """

    state: str
    after: float
    attempt: int
    retries: int
    phase: Phase | None
    reason: str | None
    attention: AttentionReason | None = None
    kid: str | None = None
    failing_since: datetime | None = None


Ending = Answered | PutDown


def lines_of(lines: Sequence[OutcomeLine]) -> tuple[Line, ...]:
    """Return the engine's lines as they travel."""
    return tuple(
        Line(
            category=one.category,
            disposition=one.disposition,
            count=one.count,
            checked=one.checked,
            ground=one.ground,
            until=one.until,
            reason=one.reason,
        )
        for one in lines
    )


def cancelled_before_it_came() -> Answered:
    """The answer of a task that was cancelled before anything was done."""
    return Answered(Outcome.of(()), cancelled=True)


def never_done(reason: str) -> Answered:
    """The answer of a task that ended without one: `closed` or `forgotten`."""
    line = Line(category=ALL, disposition=Disposition.FAILED, count=0, checked=Checked.NOT_CHECKABLE, reason=reason)
    return Answered(Outcome.of((line,)))
