"""Redaction jobs: created, validated, run, over; they go on by themselves and change what they were made for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from time import monotonic

from services.sandbox.knobs import StripeKnobs
from services.sandbox.stripe.books import UNCONFIRMED, Books, Thing
from services.sandbox.stripe.catalogue import (
    CHARGE,
    DISPUTE,
    INVOICE,
    PAYMENT_INTENT,
    PAYMENT_METHOD,
    SETUP_INTENT,
    SUBSCRIPTION,
)

MOST_ROOTS = 10
MOST_RELATED = 1_000
ELIGIBLE_AFTER = timedelta(days=90)
_HOLDING = ("created", "validating", "ready", "redacting")


@dataclass(frozen=True)
class Problem:
    """Why an object can not be redacted."""

    id: str
    code: str
    thing: Thing | None
    message: str


@dataclass
class Job:
    """One job; `since` is when its status began, in seconds of the monotonic clock. A lying one redacts nothing."""

    id: str
    roots: Mapping[str, Sequence[str]]
    behaviour: str
    person: str | None
    created: int
    status: str = "created"
    since: float = field(default_factory=monotonic)
    problems: list[Problem] = field(default_factory=list)
    lying: bool = False

    def become(self, status: str) -> None:
        """Take the next status."""
        self.status, self.since = status, monotonic()

    @property
    def root_ids(self) -> list[str]:
        """The ids of all roots."""
        return [one for ids in self.roots.values() for one in ids]


class Jobs:
    """All jobs of one account, by id, oldest first."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._ids = count(1)
        self.all: dict[str, Job] = {}

    def create(self, roots: Mapping[str, Sequence[str]], behaviour: str) -> Job:
        """Begin a job; it validates by itself."""
        first = self._books.things[next(one for ids in roots.values() for one in ids)]
        job = Job(f"prj_{next(self._ids):014d}", roots, behaviour, first.person, int(datetime.now(UTC).timestamp()))
        self.all[job.id] = job
        return job

    def advance(self, knobs: StripeKnobs) -> list[Thing]:
        """Bring every job as far as time has come; returns what was redacted."""
        redacted: list[Thing] = []
        for job in self.all.values():
            due = monotonic() - job.since >= knobs.job_seconds
            if due and job.status in ("created", "validating"):
                job.problems = list(self._problems(job))
                job.become("failed" if job.problems else "ready")
            elif due and job.status == "redacting":
                redacted += [] if job.lying else [one for one in self._reach(job) if self._books.redact(one)]
                job.become("succeeded")
            elif job.status == "created":
                job.status = "validating"
        return redacted

    def clear(self) -> None:
        """Forget all jobs."""
        self.all.clear()

    def _roots(self, job: Job) -> list[Thing]:
        return [self._books.things[one] for one in job.root_ids]

    def _reach(self, job: Job) -> list[Thing]:
        found = {one.id: one for root in self._roots(job) for one in (root, *self._books.related(root))}
        return list(found.values())

    def _problems(self, job: Job) -> Iterator[Problem]:
        reach, roots = self._reach(job), set(job.root_ids)
        numbers = count(1)
        if len(reach) > MOST_RELATED:
            yield Problem(f"{job.id}_1", "too_many_objects", None, "Too many objects.")
            return
        busy = {
            one.id for other in self.all.values() if other is not job and other.status in _HOLDING
            for one in self._reach(other)
        }  # fmt: skip
        for thing in reach:
            if thing.id in busy:
                yield Problem(f"{job.id}_{next(numbers)}", "locked_by_other_job", thing, "Used in another job.")
            elif message := self._obstacle(thing, job):
                code = "invalid_state" if thing.id in roots else "invalid_cascading_source"
                yield Problem(f"{job.id}_{next(numbers)}", code, thing, message)

    def _obstacle(self, thing: Thing, job: Job) -> str | None:
        status = thing.body.get("status")
        if thing.kind is INVOICE and status in ("open", "draft"):
            return "The invoice is not paid, void or uncollectible."
        if thing.kind is SUBSCRIPTION and status != "canceled":
            return "The subscription is not canceled."
        if thing.kind is DISPUTE and status not in ("won", "lost"):
            return "The dispute is open."
        if thing.kind in (PAYMENT_INTENT, SETUP_INTENT) and status in UNCONFIRMED:
            return self._fixed(thing, job, "The intent is not confirmed.")
        if thing.kind is PAYMENT_METHOD and thing.customer and not self._books.things[thing.customer].deleted:
            return self._fixed(thing, job, "The payment method is attached.")
        young = datetime.now(UTC) - thing.created < ELIGIBLE_AFTER
        paid = thing.kind is CHARGE or (thing.kind.transaction and status in ("paid", "succeeded", "complete"))
        if paid and young and not thing.redacted:
            return "Transactions can be redacted after 90 days."
        return None

    def _fixed(self, thing: Thing, job: Job, message: str) -> str | None:
        """With `fix` the vendor mends what it can: it cancels unconfirmed intents and lets methods go."""
        if job.behaviour != "fix":
            return message
        if "status" in thing.body:
            self._books.change(thing, {"status": "canceled"})
        return None
