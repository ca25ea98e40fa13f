"""Reading requests: one, a list, and what happened to one."""

from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from contracts import ids
from contracts.http import Page, RecipientOut, RequestOut, TaskOut, TimelineEntryOut
from contracts.message import ProcessorId
from habeas.vocabulary import RequestState, Right, Scope
from services.chassis.crypto.at_rest import Undecryptable
from services.chassis.log import get_logger
from services.chassis.postgres.pool import Connection
from services.chassis.postgres.queries import Queries
from services.orchestrator.api import bodies
from services.orchestrator.api.routing import Call, Operation, json_response
from services.orchestrator.domain.errors import NotFound
from services.orchestrator.handlers.secrets import unpack
from services.orchestrator.views.requests import (
    TERMINAL,
    TOLD_BY,
    Row,
    entry_out,
    recipient_out,
    request_out,
    task_out,
)

log = get_logger(__name__)
SQL = Queries.load("services.orchestrator.store", "request_views.sql")

MAX_PAGE = 200
TIMELINE_PAGE = 500


class Filters(BaseModel):
    """What a list of requests may be narrowed to."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    state: RequestState | None = None
    right: Right | None = None
    processor: ProcessorId | None = Field(default=None, description="requests with a task at this processor")
    attention: bool | None = Field(default=None, description="whether a person is needed")
    overdue: bool | None = None
    due_before: date | None = Field(default=None, description="due on an earlier day than this")
    created_after: AwareDatetime | None = Field(default=None, description="RFC 3339 with a zone")
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: str | None = Field(default=None, max_length=512, description="`next_cursor` of the page before")


class OnlyCursor(BaseModel):
    """A list that takes nothing but where to go on."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    cursor: str | None = Field(default=None, max_length=512, description="`next_cursor` of the page before")


def owner(call: Call) -> str | None:
    """Return whose requests the caller may see: its own, or everyone's (None)."""
    return None if call.principal.may(Scope.REQUESTS_READ_ALL) else call.principal.client_id


async def load(call: Call, request_id: str) -> RequestOut:
    """Return a request that the caller may see; raise `NotFound`, also for another client's."""
    deps = call.deps.operations
    async with deps.database.connection() as connection:
        row = await connection.fetchrow(
            SQL["one"], request_id, call.principal.livemode, owner(call), deps.clock.now(), TERMINAL
        )
    if row is None:
        raise NotFound
    return request_out(row, _reference(call, row))


async def visible(call: Call, connection: Connection) -> str:
    """Return the id in the path when its request is the caller's to see; raise `NotFound`."""
    request_id = call.path("request_id")
    if not ids.is_id("req", request_id):
        raise NotFound
    if await connection.fetchval(SQL["visible"], request_id, call.principal.livemode, owner(call)) is None:
        raise NotFound
    return request_id


async def get_request(call: Call) -> Response:
    """Return one request."""
    request_id = call.path("request_id")
    if not ids.is_id("req", request_id):
        raise NotFound
    return json_response(await load(call, request_id))


async def list_requests(call: Call) -> Response:
    """Return a page of requests, the newest first."""
    query = bodies.parse_query(Filters, call.request)
    deps = call.deps.operations
    bound = {"client": call.principal.client_id, **query.model_dump(mode="json", exclude={"cursor", "limit"})}
    after = call.api.cursors.read("requests", bound, query.cursor) if query.cursor is not None else None
    async with deps.database.connection() as connection:
        rows = await connection.fetch(
            SQL["page"], call.principal.livemode, owner(call), deps.clock.now(), TERMINAL, after, query.state,
            query.right, query.processor, query.attention, query.overdue, query.due_before, query.created_after,
            query.limit + 1,
        )  # fmt: skip
    shown = [request_out(row, _reference(call, row)) for row in rows[: query.limit]]
    more = len(rows) > query.limit
    cursor = call.api.cursors.make("requests", bound, shown[-1].id) if more else None
    return json_response(Page[RequestOut](data=tuple(shown), next_cursor=cursor))


async def list_tasks(call: Call) -> Response:
    """Return the tasks of a request."""
    return json_response(Page[TaskOut](data=await _tasks(call)))


async def list_recipients(call: Call) -> Response:
    """Return who was told what of a request (Article 19)."""
    told = tuple(recipient_out(task) for task in await _tasks(call) if task.action in TOLD_BY)
    return json_response(Page[RecipientOut](data=told))


async def list_timeline(call: Call) -> Response:
    """Return the facts of a request in order."""
    query = bodies.parse_query(OnlyCursor, call.request)
    bound = {"request": call.path("request_id")}
    after = call.api.cursors.read("timeline", bound, query.cursor) if query.cursor is not None else 0
    async with call.deps.operations.database.connection() as connection:
        request_id = await visible(call, connection)
        rows = await connection.fetch(SQL["timeline"], request_id, after, TIMELINE_PAGE + 1)
    shown = tuple(entry_out(row) for row in rows[:TIMELINE_PAGE])
    more = len(rows) > TIMELINE_PAGE
    cursor = call.api.cursors.make("timeline", bound, shown[-1].sequence) if more else None
    return json_response(Page[TimelineEntryOut](data=shown, next_cursor=cursor))


async def _tasks(call: Call) -> tuple[TaskOut, ...]:
    bodies.parse_query(OnlyCursor, call.request)
    async with call.deps.operations.database.connection() as connection:
        rows = await connection.fetch(SQL["tasks"], await visible(call, connection))
    return tuple(task_out(row) for row in rows)


def _reference(call: Call, row: Row) -> str | None:
    """Return the client's own reference; it is gone once the request's key is."""
    if row["wrapped"] is None or row["sealed"] is None:
        return None
    try:
        key = call.deps.operations.at_rest.unwrap(row["wrapped"])
        return unpack(key, row["id"], row["sealed"]).reference
    except Undecryptable:
        log.error("request.undecryptable", request_id=row["id"])
        return None


OPERATIONS = (
    Operation(
        "GET", "/v1/requests", Scope.REQUESTS_READ, "List requests", list_requests, Page[RequestOut],
        query=Filters, codes=("cursor_invalid", "validation_failed"),
        description="The newest first; your own, or everyone's with the scope `requests:read_all`.",
    ),
    Operation(
        "GET", "/v1/requests/{request_id}", Scope.REQUESTS_READ, "Read a request", get_request, RequestOut,
        codes=("not_found",), description="Another client's request is `not_found`, as an unknown one is.",
    ),
    Operation(
        "GET", "/v1/requests/{request_id}/tasks", Scope.REQUESTS_READ, "List the tasks of a request", list_tasks,
        Page[TaskOut], codes=("not_found",), description="What was asked of each processor, and what came of it.",
    ),
    Operation(
        "GET", "/v1/requests/{request_id}/timeline", Scope.REQUESTS_READ, "List what happened to a request",
        list_timeline, Page[TimelineEntryOut], query=OnlyCursor, codes=("not_found", "cursor_invalid"),
        description="Each entry's `hash` covers the one before, so that a change of the past shows.",
    ),
    Operation(
        "GET", "/v1/requests/{request_id}/recipients", Scope.REQUESTS_READ, "List who was told (Article 19)",
        list_recipients, Page[RecipientOut], codes=("not_found",),
        description="Each recipient of the data, what it was told and when, or why it was not.",
    ),
)  # fmt: skip
