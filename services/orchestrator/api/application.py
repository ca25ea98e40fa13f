"""Puts the HTTP API together: operations, health, documentation and pages behind one frame."""

import re
from typing import Any, cast

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.chassis import health
from services.orchestrator.api import filing, keys, operations, package, pages, processors, requests, system
from services.orchestrator.api.cursors import Cursors
from services.orchestrator.api.dependencies import ApiDependencies
from services.orchestrator.api.exchange import Envelope, exchange_of
from services.orchestrator.api.problems import ProblemRaised, respond
from services.orchestrator.api.routing import Api, Operation, serve
from services.orchestrator.handlers.authenticate import Authenticator
from services.orchestrator.handlers.prepare_filing import Preparer

VERSION = "1"  # of the API, as in its paths
OPERATIONS: tuple[Operation, ...] = (
    *filing.OPERATIONS,
    *requests.OPERATIONS,
    *package.OPERATIONS,
    *operations.OPERATIONS,
    *processors.OPERATIONS,
    *keys.OPERATIONS,
    *system.OPERATIONS,
)


def build(deps: ApiDependencies) -> FastAPI:
    """Return the application. Whatever is not in `OPERATIONS` can not be reached with a key, and needs none."""
    needs = deps.operations
    api = Api(
        deps,
        Authenticator(needs.database, needs.clock),
        Preparer(needs),
        Cursors(needs.root.derive("habeas cursors")),
    )
    app = FastAPI(
        title="Habeas", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False,
        exception_handlers={HTTPException: _unrouted},
        # Its spans would quote the texts of exceptions; the envelope tells what may be told.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )  # fmt: skip
    for operation in OPERATIONS:
        app.add_route(operation.path, serve(operation, api), methods=[operation.method], include_in_schema=False)
    app.router.routes.extend(pages.routes(OPERATIONS, version=VERSION))
    app.router.routes.extend(health.routes(deps.health))
    app.add_middleware(Envelope, trace_ratio=needs.settings.trace_ratio)
    return app


async def _unrouted(request: Request, error: Exception) -> Response:
    """Answer what no route takes."""
    exchange = exchange_of(request.scope)
    status = cast("HTTPException", error).status_code
    if status == 405:
        allow = ", ".join(sorted(_methods(request)))
        raised = ProblemRaised("method_not_allowed", f"Here one can: {allow}.", headers={"allow": allow})
    else:
        raised = ProblemRaised("not_found", "There is no such address. All are in /openapi.json.")
    return respond(raised, exchange.id)


def _methods(request: Request) -> set[str]:
    routes: list[Any] = request.app.router.routes
    path = request.url.path
    fitting = [route for route in routes if isinstance(route, Route) and re.match(route.path_regex, path)]
    return {method for route in fitting for method in route.methods or () if method != "HEAD"}
