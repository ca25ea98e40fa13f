"""The course of a call, written once for both clients: a generator yields what to do next, a client does it."""

import random
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from habeas.client.errors import HabeasError, HabeasProblem, NotSettledInTime, Unreachable, UnreadableAnswer
from habeas.client.models import Request
from habeas.client.operations import Operation, get_request
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


# What a client is told to do, and what it tells back: the answer to an operation, None after a pause.
Step = Operation[BaseModel] | Pause
Told = httpx.Response | NoAnswer | None
Steps = Generator[Step, Told, T]


def exchange(operation: Operation[M], *, retries: Retries, where: str) -> Steps[M]:
    """Send `operation`, again where that is safe and may help, and return its answer; `where` is the address."""
    attempt = 1
    while True:
        told = yield operation  # type: ignore[misc]  # Operation is read-only, so one of M is one of BaseModel
        if isinstance(told, httpx.Response) and told.is_success:
            return _read(told, operation)
        error = _problem(told) if isinstance(told, httpx.Response) else _unreachable(told, where)
        attempt += 1
        wait = _wait(told, error, attempt, retries) if operation.repeatable else None
        if wait is None:
            raise error
        yield Pause(wait)


def settle(request_id: str, *, timeout: float, retries: Retries, where: str) -> Steps[Request]:
    """Ask for a request until it is over; `timeout` is in seconds, asked for ever less often."""
    waited, pause = 0.0, FIRST_POLL
    while True:
        request = yield from exchange(get_request(request_id), retries=retries, where=where)
        if request.is_settled:
            return request
        if waited >= timeout:
            attention = request.attention.reason if request.attention else None
            raise NotSettledInTime(request.id, state=str(request.state), attention=attention, waited=waited)
        pause = min(pause, timeout - waited)
        yield Pause(pause)
        waited, pause = waited + pause, min(pause * 1.5, SLOWEST_POLL)


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
    asked = retry_after(told.headers, now=datetime.now(UTC)) if isinstance(told, httpx.Response) else None
    if isinstance(error, HabeasProblem) and not (error.retryable or error.status in RETRIED_STATUSES):
        return None
    return retries.wait_before(attempt, dice=random.random, asked=asked)


def _read(response: httpx.Response, operation: Operation[M]) -> M:
    try:
        return operation.answer.model_validate_json(response.content)
    except ValidationError:
        detail = f"the answer to {operation.method} {operation.path} is not a {operation.answer.__name__}"
        raise UnreadableAnswer(detail) from None
