"""The API of redaction jobs, a public preview: create, look, validate again, run, cancel, and why validation failed."""

from collections.abc import Mapping
from typing import Any

from services.sandbox.ledger import Entry
from services.sandbox.stripe.calls import Call
from services.sandbox.stripe.catalogue import ROOTS
from services.sandbox.stripe.jobs import MOST_ROOTS, Job, Problem
from services.sandbox.stripe.listing import PAGING, limit_of
from services.sandbox.stripe.replies import missing, page, refuse, unrecognised

BEHAVIOURS = ("error", "fix")


def create(call: Call) -> dict[str, Any]:
    """POST /v1/privacy/redaction_jobs: at most ten roots; it begins to validate by itself."""
    _preview(call)
    call.only("objects", "validation_behavior")
    behaviour = call.text("validation_behavior") or "error"
    if behaviour not in BEHAVIOURS:
        refuse("Invalid validation_behavior: must be one of error or fix", param="validation_behavior")
    job = call.account.jobs.create(_roots(call), behaviour)
    _note(call, job, "create", changed=True)
    return _shown(call, job)


def read(call: Call) -> dict[str, Any]:
    """GET /v1/privacy/redaction_jobs/{id}."""
    return _shown(call, _job(call))


def listing(call: Call) -> dict[str, Any]:
    """GET /v1/privacy/redaction_jobs?status=, newest first."""
    _preview(call)
    call.only("status", *PAGING)
    status, after = call.text("status"), call.text("starting_after")
    jobs = [one for one in reversed(call.account.jobs.all.values()) if status in (None, one.status)]
    if after is not None:
        at = next((n for n, one in enumerate(jobs) if one.id == after), None)
        if at is None:
            raise missing("redaction job", after, param="starting_after", status=400)
        jobs = jobs[at + 1 :]
    limit = limit_of(call)
    return page([_shown(call, one, "data.") for one in jobs[:limit]], call.request.url.path, more=len(jobs) > limit)


def run(call: Call) -> dict[str, Any]:
    """POST .../run: from ready alone. There is no way back."""
    job = _job(call)
    _must_be(job, "run", "ready")
    job.lying = call.lying
    job.become("redacting")
    _note(call, job, "run", changed=not call.lying)
    return _shown(call, job)


def cancel(call: Call) -> dict[str, Any]:
    """POST .../cancel: from ready or failed alone."""
    job = _job(call)
    _must_be(job, "cancel", "ready", "failed")
    job.become("canceled")
    _note(call, job, "cancel", changed=True)
    return _shown(call, job)


def validate(call: Call) -> dict[str, Any]:
    """POST .../validate: from failed alone; it validates again."""
    job = _job(call)
    _must_be(job, "validate", "failed")
    job.become("validating")
    _note(call, job, "validate", changed=True)
    return _shown(call, job)


def problems(call: Call) -> dict[str, Any]:
    """GET .../validation_errors."""
    job = _job(call)
    call.only(*PAGING)
    after = call.text("starting_after")
    at = next((n + 1 for n, one in enumerate(job.problems) if one.id == after), 0)
    limit = limit_of(call)
    rest = job.problems[at:]
    return page([_problem(one) for one in rest[:limit]], call.request.url.path, more=len(rest) > limit)


def _preview(call: Call) -> None:
    if not call.preview:
        raise unrecognised(call.request.method, call.request.url.path)


def _job(call: Call) -> Job:
    _preview(call)
    wanted = call.request.path_params["id"]
    job = call.account.jobs.all.get(wanted)
    if job is None:
        raise missing("redaction job", wanted, param="job")
    return job


def _roots(call: Call) -> dict[str, list[str]]:
    wanted = call.params.get("objects")
    if not isinstance(wanted, Mapping) or not wanted:
        refuse("Missing required param: objects.", code="parameter_missing", param="objects")
    for name, ids in wanted.items():
        if name not in ROOTS:
            refuse(f"Received unknown parameter: objects[{name}]", code="parameter_unknown", param=f"objects[{name}]")
        if not isinstance(ids, list):
            refuse("Invalid array", param=f"objects[{name}]")
        for one in ids:
            if call.books.find(ROOTS[name], one) is None:
                raise missing(ROOTS[name].name, one, param=f"objects[{name}]", status=400)
    if sum(map(len, wanted.values())) > MOST_ROOTS:
        refuse(f"A job can have at most {MOST_ROOTS} objects.", param="objects")
    return {name: list(ids) for name, ids in wanted.items()}


def _must_be(job: Job, verb: str, *statuses: str) -> None:
    if job.status not in statuses:
        refuse(f"You cannot {verb} a redaction job that is {job.status}.", param="job")


def _note(call: Call, job: Job, verb: str, *, changed: bool) -> None:
    call.account.ledger.append(Entry(f"redaction_job.{verb}", job.id, job.person, call.key, changed))


def _shown(call: Call, job: Job, place: str = "") -> dict[str, Any]:
    return {
        "id": job.id,
        "object": "privacy.redaction_job",
        "created": job.created,
        "livemode": False,
        "objects": {name: list(ids) for name, ids in job.roots.items()} if call.expands(f"{place}objects") else None,
        "status": job.status,
        "validation_behavior": job.behaviour,
    }


def _problem(problem: Problem) -> dict[str, Any]:
    thing = problem.thing
    return {
        "id": problem.id,
        "object": "privacy.redaction_job_validation_error",
        "code": problem.code,
        "message": problem.message,
        "erroring_object": {"id": thing.id, "object_type": thing.kind.name} if thing else None,
    }
