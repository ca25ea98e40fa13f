"""The course of a call, written once for both clients: a generator yields what to do next, a client does it."""

import random
import time
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from habeas.client.errors import HabeasError, HabeasProblem, NotSettledInTime, Unreachable, UnreadableAnswer
from habeas.client.models import Request
from habeas.client.operations import Download, Operation, get_request
from habeas.client.retries import RETRIED_STATUSES, Retries, retry_after

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

FIRST_POLL = 0.05
SLOWEST_POLL = 2.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The call went unanswered; `why` is the name of the failure, never its text, which may quote what was sent."""

    why: str


# What a client is told to do, and what it tells back: the answer to an operation, None after a pause. The answer to a
# download has its body unread, unless it is an error.
Step = Operation[BaseModel] | Download | Pause
Told = httpx.Response | NoAnswer | None
Steps = Generator[Step, Told, T]


def exchange(operation: Operation[M], *, retries: Retries, where: str) -> Steps[M]:
    """Send `operation`, again where that is safe and may help, and return its answer; `where` is the address."""
    # Operation is read-only, so one of M is one of BaseModel.
    told = yield from _asked(operation, repeatable=operation.repeatable, retries=retries, where=where)  # type: ignore[arg-type]
    return _read(told, operation)


def opened(download: Download, *, retries: Retries, where: str) -> Steps[httpx.Response]:
    """Ask for `download`, again where that may help, and return the answer with its body unread."""
    told = yield from _asked(download, repeatable=True, retries=retries, where=where)
    if told.headers.get("content-type", "").partition(";")[0].strip() != download.media_type:
        told.close()
        raise UnreadableAnswer(f"the answer to GET {download.path} is not {download.media_type}")
    return told


def _asked(
    step: Operation[BaseModel] | Download, *, repeatable: bool, retries: Retries, where: str
) -> Steps[httpx.Response]:
    attempt = 1
    while True:
        told = yield step
        if isinstance(told, httpx.Response) and told.is_success:
            return told
        error = _problem(told) if isinstance(told, httpx.Response) else _unreachable(told, where)
        attempt += 1
        wait = _wait(told, error, attempt, retries) if repeatable else None
        if wait is None:
            raise error
        yield Pause(wait)


def settle(request_id: str, *, timeout: float, retries: Retries, where: str) -> Steps[Request]:
    """Ask for a request, ever less often, until it is over or `timeout` seconds have gone by.

    A server that is away for a while does not end the wait; one that is away at its end is what is raised.
    """
    started, paused, pause = time.monotonic(), 0.0, FIRST_POLL
    while True:
        found: Request | HabeasError
        try:
            found = yield from exchange(get_request(request_id), retries=retries, where=where)
        except HabeasError as error:
            if not _passes(error):
                raise
            found = error
        if isinstance(found, Request) and found.is_settled:
            return found
        waited = max(paused, time.monotonic() - started)
        if waited >= timeout:
            raise found if isinstance(found, HabeasError) else _not_settled(found, waited)
        pause = min(pause, timeout - waited)
        yield Pause(pause)
        paused, pause = paused + pause, min(pause * 1.5, SLOWEST_POLL)


def _not_settled(request: Request, waited: float) -> NotSettledInTime:
    attention = request.attention.reason if request.attention else None
    return NotSettledInTime(request.id, state=str(request.state), attention=attention, waited=waited)


def _passes(error: HabeasError) -> bool:
    """Whether the same call may work later."""
    if isinstance(error, HabeasProblem):
        return error.retryable or error.status in RETRIED_STATUSES
    return isinstance(error, Unreachable)


def _unreachable(told: NoAnswer | None, where: str) -> Unreachable:
    return Unreachable(f"no answer from {where} ({told.why if told else 'nothing was sent'})")


def _problem(response: httpx.Response) -> HabeasProblem:
    try:
        document: object = response.json()
    except ValueError:
        document = None
    request_id = response.headers.get("x-request-id")
    return HabeasProblem.read(document, status=response.status_code, request_id=request_id)


def _wait(told: Told, error: HabeasError, attempt: int, retries: Retries) -> float | None:
    if not _passes(error):
        return None
    asked = retry_after(told.headers, now=datetime.now(UTC)) if isinstance(told, httpx.Response) else None
    return retries.wait_before(attempt, dice=random.random, asked=asked)


def _read(response: httpx.Response, operation: Operation[M]) -> M:
    try:
        return operation.answer.model_validate_json(response.content)
    except ValidationError:
        detail = f"the answer to {operation.method} {operation.path} is not a {operation.answer.__name__}"
        raise UnreadableAnswer(detail) from None
