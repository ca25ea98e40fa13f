"""Dead letters and consumers of the orchestrator; each other service has a command of its own for its own."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from contracts.http import ConsumerOut, DeadLetterOut, Page, ReasonIn
from habeas.vocabulary import Scope
from services.chassis.dead_letters import SQL
from services.chassis.log import get_logger
from services.chassis.postgres.pool import Connection
from services.orchestrator.api import bodies
from services.orchestrator.api.examples import REASON
from services.orchestrator.api.problems import ProblemRaised
from services.orchestrator.api.requests import MAX_PAGE, OnlyCursor
from services.orchestrator.api.routing import Call, Operation, json_response
from services.orchestrator.domain.errors import NotAllowed, NotFound
from services.orchestrator.views.system import SERVICE, consumer_out, dead_letter_out

log = get_logger(__name__)

OTHER_SERVICES = ("connectors", "notifier")
_LARGEST = 2**63 - 1


class LetterFilters(BaseModel):
    """What a list of dead letters may be narrowed to."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    service: Literal["orchestrator", "connectors", "notifier"] | None = None
    state: Literal["dead", "redriven", "discarded"] | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: str | None = Field(default=None, max_length=512, description="`next_cursor` of the page before")


async def list_dead_letters(call: Call) -> Response:
    """Return a page of dead letters, the newest first."""
    query = bodies.parse_query(LetterFilters, call.request)
    if query.service is not None:
        _here(query.service, "dead-letters list")
    bound = {"state": query.state}
    after = call.api.cursors.read("dead letters", bound, query.cursor) if query.cursor is not None else None
    async with call.deps.operations.database.connection() as connection:
        rows = await connection.fetch(SQL["page"], after, query.state, query.limit + 1)
    shown = tuple(dead_letter_out(row) for row in rows[: query.limit])
    more = len(rows) > query.limit
    cursor = call.api.cursors.make("dead letters", bound, shown[-1].id) if more else None
    return json_response(Page[DeadLetterOut](data=shown, next_cursor=cursor))


async def get_dead_letter(call: Call) -> Response:
    """Return one dead letter."""
    _here(call.path("service"), "dead-letters list")
    async with call.deps.operations.database.connection() as connection:
        return json_response(await _letter(connection, _number(call)))


async def redrive_dead_letter(call: Call) -> Response:
    """Send a dead letter to its consumer again."""
    _here(call.path("service"), "dead-letters redrive")
    number = _number(call)
    async with call.deps.operations.database.transaction() as connection:
        await _letter(connection, number)
        if not await call.deps.dead_letters.redrive(connection, number, actor=call.principal.client_id):
            detail = "It was dealt with before, or its bytes cannot be sent again as they are."
            raise NotAllowed("dead_letter_not_redrivable", detail)
        answer = await _letter(connection, number)
    call.deps.operations.wakes.relay.set()
    log.warning("dead_letter.redriven", dead_letter=number, client_id=call.principal.client_id)
    return json_response(answer)


async def discard_dead_letter(call: Call) -> Response:
    """Give a dead letter up."""
    _here(call.path("service"), "dead-letters discard")
    number = _number(call)
    body = bodies.parse(ReasonIn, await bodies.read(call.request, limit=256 * bodies.KIB))
    async with call.deps.operations.database.transaction() as connection:
        await _letter(connection, number)
        actor = call.principal.client_id
        if not await call.deps.dead_letters.discard(connection, number, actor=actor, reason=body.reason):
            raise NotAllowed("dead_letter_dealt_with", "It was redriven or discarded before.")
        answer = await _letter(connection, number)
    log.warning("dead_letter.discarded", dead_letter=number, reason=body.reason, client_id=call.principal.client_id)
    return json_response(answer)


async def list_consumers(call: Call) -> Response:
    """Return the consumers of this service."""
    bodies.parse_query(OnlyCursor, call.request)
    async with call.deps.operations.database.connection() as connection:
        rows = await connection.fetch(SQL["consumers"])
    return json_response(Page[ConsumerOut](data=tuple(consumer_out(row) for row in rows)))


async def resume_consumer(call: Call) -> Response:
    """Let a halted consumer go on."""
    _here(call.path("service"), "consumers resume")
    name = call.path("name")
    async with call.deps.operations.database.transaction() as connection:
        if await connection.fetchval(SQL["resume"], name) is None:
            raise NotFound
        rows = await connection.fetch(SQL["consumers"])
    log.warning("consumer.resumed", consumer=name, client_id=call.principal.client_id)
    return json_response(next(consumer_out(row) for row in rows if row["name"] == name))


def _here(service: str, command: str) -> None:
    """Raise a problem unless `service` is this one; for the others it says where to go."""
    if service in OTHER_SERVICES:
        detail = f"This is kept by another service: run `python -m services.{service} {command}` there."
        raise ProblemRaised("other_service", detail)
    if service != SERVICE:
        raise NotFound


def _number(call: Call) -> int:
    text = call.path("letter_id")
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > _LARGEST:
        raise NotFound
    return int(text)


async def _letter(connection: Connection, number: int) -> DeadLetterOut:
    row = await connection.fetchrow(SQL["whole"], number)
    if row is None:
        raise NotFound
    return dead_letter_out(row)


_LETTER = "/v1/dead-letters/{service}/{letter_id}"
OPERATIONS = (
    Operation(
        "GET", "/v1/dead-letters", Scope.SYSTEM_READ, "List dead letters", list_dead_letters, Page[DeadLetterOut],
        query=LetterFilters, codes=("cursor_invalid", "other_service", "validation_failed"),
        description="Records that a consumer could not take, the newest first; never their content.",
    ),
    Operation(
        "GET", _LETTER, Scope.SYSTEM_READ, "Read a dead letter", get_dead_letter, DeadLetterOut,
        codes=("not_found", "other_service"), description="Where it came from and why it was not taken.",
    ),
    Operation(
        "POST", f"{_LETTER}/redrive", Scope.SYSTEM_OPERATE, "Redrive a dead letter", redrive_dead_letter,
        DeadLetterOut, codes=("not_found", "dead_letter_not_redrivable", "other_service"),
        description="Sends it again as it came, with the event id and proof that it had.",
    ),
    Operation(
        "POST", f"{_LETTER}/discard", Scope.SYSTEM_OPERATE, "Discard a dead letter", discard_dead_letter,
        DeadLetterOut, body=ReasonIn, codes=("not_found", "dead_letter_dealt_with", "other_service"),
        description="Gives it up for good.", example=REASON,
    ),
    Operation(
        "GET", "/v1/consumers", Scope.SYSTEM_READ, "List consumers", list_consumers, Page[ConsumerOut],
        description="The consumers of the orchestrator, and which of them halted.",
    ),
    Operation(
        "POST", "/v1/consumers/{service}/{name}/resume", Scope.SYSTEM_OPERATE, "Resume a consumer", resume_consumer,
        ConsumerOut, codes=("not_found", "other_service"),
        description="After the cause was mended; what it could not take meanwhile comes again.",
    ),
)  # fmt: skip
