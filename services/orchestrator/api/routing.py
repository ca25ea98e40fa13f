"""Serves the operations of the API: who calls, whether it may, what it sent, and what is said when that goes wrong."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from habeas.vocabulary import Scope
from services.chassis.log import describe, get_logger
from services.chassis.postgres.pool import TRANSIENT
from services.orchestrator.api import bodies
from services.orchestrator.api.cursors import Cursors
from services.orchestrator.api.dependencies import ApiDependencies
from services.orchestrator.api.exchange import Exchange, exchange_of
from services.orchestrator.api.problems import ProblemRaised, respond
from services.orchestrator.domain.errors import NotAllowed, NotFound
from services.orchestrator.domain.intake import Unacceptable
from services.orchestrator.handlers.authenticate import Authenticator, Principal, Unauthenticated
from services.orchestrator.handlers.file_requests import CaseUnknown, KeyReused, Overloaded
from services.orchestrator.handlers.prepare_filing import Preparer

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Api:
    """What the operations of one application share."""

    deps: ApiDependencies
    authenticator: Authenticator
    preparer: Preparer
    cursors: Cursors


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation by somebody who may make it."""

    api: Api
    request: Request
    principal: Principal
    exchange: Exchange

    @property
    def deps(self) -> ApiDependencies:
        """What the API is made of."""
        return self.api.deps

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return cast("str", self.request.path_params[name])


@dataclass(frozen=True, slots=True)
class Operation:
    """One route. `scope` is what a caller needs; `answer` and `body` are its shapes; `codes` the problems of its own.

    `example` and those of `more_examples`, by name, are bodies that can be sent as they stand. There is no operation
    without a scope. What is not JSON has its own `media_type`, and `bytes` for an answer.
    """

    method: str
    path: str
    scope: Scope
    summary: str
    handle: Callable[[Call], Awaitable[Response]]
    answer: Any
    status: int = 200
    body: type[BaseModel] | None = None
    limit: int = 256 * bodies.KIB
    query: type[BaseModel] | None = None
    keyed: bool = False
    codes: tuple[str, ...] = ()
    description: str = ""
    example: Mapping[str, Any] | None = field(default=None)
    more_examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    media_type: str = "application/json"

    @property
    def examples(self) -> dict[str, Mapping[str, Any]]:
        """All examples by name."""
        return {} if self.example is None else {"example": self.example, **self.more_examples}

    @property
    def name(self) -> str:
        """The OpenAPI operation id."""
        return self.handle.__name__


def serve(operation: Operation, api: Api) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of `operation`."""

    async def endpoint(request: Request) -> Response:
        exchange = exchange_of(request.scope)
        exchange.route = operation.path
        try:
            principal = await api.authenticator.authenticate(request.headers.get("authorization"))
            require(principal, operation.scope)
            return await operation.handle(Call(api, request, principal, exchange))
        except ProblemRaised as raised:
            return respond(raised, exchange.id)
        except Exception as error:
            told = known(error, exchange, operation.path)
            if told is None:
                raise
            return respond(told, exchange.id)

    return endpoint


def require(principal: Principal, scope: Scope) -> None:
    """Raise the problem `scope_missing` unless the caller has `scope`."""
    if not principal.may(scope):
        raise ProblemRaised("scope_missing", f"This needs an API key with the scope {scope.value}.")


def known(error: Exception, exchange: Exchange, route: str) -> ProblemRaised | None:
    """Return the problem that an exception of a use case is; None when it is a mistake of ours."""
    match error:
        case Unauthenticated():
            return ProblemRaised(error.code, error.detail)
        case Unacceptable():
            errors = [{"pointer": one.pointer, "detail": one.detail} for one in error.errors]
            return ProblemRaised(error.code, error.detail, errors=errors)
        case NotFound():
            return ProblemRaised("not_found", "It does not exist, or it is not yours to see.")
        case NotAllowed():
            return ProblemRaised(error.code, error.detail)
        case KeyReused():
            detail = "This Idempotency-Key stands for another body: take a new key for a new request."
            return ProblemRaised("idempotency_key_reused", detail)
        case CaseUnknown():
            error_at = {"pointer": "/case", "detail": "Leave it out to open a new case."}
            return ProblemRaised("case_not_found", "The case does not exist, or is not yours.", errors=[error_at])
        case Overloaded():
            return ProblemRaised("overloaded", "More is waiting than can be stored soon: come again.")
    if isinstance(error, TRANSIENT):
        log.warning("http.unavailable", error=describe(error), route=route, x_request_id=exchange.id)
        return ProblemRaised("unavailable", "The database cannot be reached. Try again with the same key.")
    return None


def json_response(body: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return `body` as JSON."""
    return Response(body.model_dump_json(), status, headers, "application/json")
