"""Redaction jobs: what may go into one, how one begins, what came of it, and how to find one whose answer was lost."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from hashlib import sha256

from habeas.sdk import Context, CredentialsRejected, Disposition, Identity, IdentityType, Item, Result, RetryLater, Wait
from services.connectors.processors.stripe.refs import Ref
from services.connectors.processors.stripe.shapes import Job, Problem, page_of, read, shaped
from services.connectors.processors.stripe.vendor import Api, Pairs, UnexpectedAnswerError, path_of

MOST_ROOTS = 10
OVERDUE_AFTER = timedelta(days=7)
LONGEST_POLL = 3_600.0
LIVE = frozenset({"created", "validating", "ready", "redacting", "failed"})
# A job that ended and comes back under a key used before is followed by a new one, so many times.
MOST_TRIES = 5
MOST_LISTED = 10

_JOBS = path_of("privacy/redaction_jobs")

Root = tuple[str, str]


@dataclass
class Under:
    """A job under way, as it is remembered in `Wait.job`.

    `items` are the items that its end decides, as category and reference; `done` what was decided before it began.
    """

    job: str
    since: str
    items: list[tuple[str, str]]
    roots: list[Root]
    done: list[dict[str, str | None]] = field(default_factory=list)
    polls: int = 0

    def wait(self, ctx: Context, *, seconds: float) -> Wait:
        """Return what the engine is to wait for: polls grow further apart, by half each."""
        pause = min(seconds * 1.5 ** min(self.polls, 50), LONGEST_POLL)
        since = datetime.fromisoformat(self.since)
        text = json.dumps(asdict(replace(self, polls=self.polls + 1)))
        return Wait(text, ctx.now() + timedelta(seconds=pause), since + OVERDUE_AFTER, "redaction_job")

    @classmethod
    def read(cls, wait: Wait) -> "Under":
        """Return what was remembered."""
        held = json.loads(wait.job)
        pairs = {name: [(one[0], one[1]) for one in held[name]] for name in ("items", "roots")}
        return cls(held["job"], held["since"], pairs["items"], pairs["roots"], held["done"], held["polls"])

    def decided(self) -> list[Result]:
        """Return the results that were known before the job began."""
        return [_result(told) for told in self.done]

    def results(self, disposition: Disposition, *, note: str | None = None) -> list[Result]:
        """Return one result for every item of the job."""
        return [Result(_stub(*each), disposition, note=note) for each in self.items]

    @property
    def customers(self) -> list[str]:
        """The customers that are roots."""
        return [root_id for kind, root_id in self.roots if kind == "customers"]


def told(results: Iterable[Result]) -> list[dict[str, str | None]]:
    """Return results in the form in which they are remembered with a job."""
    return [
        {
            "category": one.item.category,
            "ref": one.item.ref,
            "disposition": one.disposition.value,
            "ground": one.ground,
            "until": one.until.isoformat() if one.until else None,
            "note": one.note,
        }
        for one in results
    ]


def root_of(ref: Ref) -> Root:
    """Return how a redaction job names an object."""
    return ref.root, ref.id


class Redaction:
    """The calls about redaction jobs, with the preview version of the API that they need."""

    def __init__(self, api: Api) -> None:
        """Take calls that name the preview version."""
        self._api = api

    async def begin(self, ctx: Context, roots: Sequence[Root]) -> str:
        """Return the id of a job over `roots` that is not over yet: made anew, or made before under the same key."""
        names = sorted({kind for kind, _ in roots})
        form: Pairs = [
            *((f"objects[{kind}][]", root_id) for kind in names for each, root_id in roots if each == kind),
            ("validation_behavior", "fix"),
        ]
        step = "redact:" + sha256(repr(sorted(roots)).encode()).hexdigest()
        for _ in range(MOST_TRIES):
            answer = await self._posted(ctx, _JOBS, form, step)
            job = await self.job(answer.id)  # a key that was used before tells of the past
            if job is not None and job.status in LIVE:
                return job.id
            step = f"{step}:{answer.id}"
        raise RetryLater("jobs_keep_ending", after=3_600.0)

    async def job(self, job_id: str) -> Job | None:
        """Return a job as it stands, or None when there is none."""
        answer = await self._api.call("GET", f"{_JOBS}/{job_id}")
        return read(Job, answer) if answer.status == 200 else None

    async def run(self, ctx: Context, job_id: str) -> None:
        """Let a job that is ready do its work: there is no way back."""
        await self._posted(ctx, f"{_JOBS}/{job_id}/run", (), f"run:{job_id}")

    async def validate(self, ctx: Context, job_id: str, *, time: int) -> None:
        """Have a job that failed validated again, for the `time`th time."""
        await self._posted(ctx, f"{_JOBS}/{job_id}/validate", (), f"validate:{job_id}:{time}")

    async def cancel(self, ctx: Context, job: Job) -> None:
        """Give a job up; Stripe lets us only where it is ready or failed, and so do we."""
        if job.status not in ("ready", "failed"):
            raise RetryLater("job_can_not_be_cancelled_now")
        await self._posted(ctx, f"{_JOBS}/{job.id}/cancel", (), f"cancel:{job.id}")

    async def problems(self, job_id: str) -> list[Problem]:
        """Return why a job's validation failed."""
        found: list[Problem] = []
        cursor: list[tuple[str, str]] = []
        while True:
            params = [("limit", "100"), *cursor]
            page = page_of(await self._api.call("GET", f"{_JOBS}/{job_id}/validation_errors", params=params))
            found += [shaped(Problem, one) for one in page.data]
            if not page.has_more or not page.data:
                return found
            cursor = [("starting_after", found[-1].id)]

    async def under_way(self, roots: set[Root]) -> tuple[Job, list[Root]] | None:
        """Return a live job whose roots are all among `roots`, newest first, and its roots; None without one."""
        cursor: list[tuple[str, str]] = []
        for _ in range(MOST_LISTED):
            params = [("limit", "100"), ("expand[]", "data.objects"), *cursor]
            page = page_of(await self._api.call("GET", _JOBS, params=params))
            for job in [shaped(Job, one) for one in page.data]:
                own = [(kind, one) for kind, ids in (job.objects or {}).items() for one in ids]
                if job.status in LIVE and own and set(own) <= roots:
                    return job, own
                cursor = [("starting_after", job.id)]
            if not page.has_more:
                break
        return None

    async def _posted(self, ctx: Context, path: str, form: Pairs, step: str) -> Job:
        try:
            answer = await self._api.post(path, form, ctx.key(step))
        except UnexpectedAnswerError as error:
            if error.args[0] == 404:  # the URL itself is unknown: the preview is not open to this account
                raise CredentialsRejected("redaction_not_enabled") from None
            raise
        if answer.status != 200:
            raise RetryLater("job_is_gone")
        return read(Job, answer)


def _stub(category: str, ref: str) -> Item:
    """Return an item known by name alone; the engine tells items apart by category and reference."""
    return Item(ref, category, Identity(IdentityType.EMAIL, ""))


def _result(told: dict[str, str | None]) -> Result:
    until = told["until"]
    return Result(
        _stub(told["category"] or "", told["ref"] or ""),
        Disposition(told["disposition"] or ""),
        ground=told["ground"],
        until=date.fromisoformat(until) if until else None,
        note=told["note"],
    )
