"""What operators and clients do to requests and tasks that exist: cancel, retry, skip."""

from starlette.responses import Response

from contracts import ids
from contracts.http import ReasonIn, RequestOut, TaskOut
from habeas.vocabulary import Scope
from services.chassis.postgres.pool import Connection
from services.orchestrator.api import bodies
from services.orchestrator.api.examples import REASON
from services.orchestrator.api.requests import SQL, load, owner, visible
from services.orchestrator.api.routing import Call, Operation, json_response
from services.orchestrator.domain.errors import NotFound
from services.orchestrator.handlers import cancel_request, confirm_identities, retry_task, skip_task
from services.orchestrator.views.requests import task_out


async def cancel(call: Call) -> Response:
    """Withdraw a request."""
    deps = call.deps.operations
    async with deps.database.transaction() as connection:
        request_id = await visible(call, connection)
        await cancel_request.cancel_request(
            connection, request_id=request_id, actor=call.principal.client_id, deps=deps
        )
    deps.wakes.ring()
    return json_response(await load(call, request_id))


async def retry_stuck(call: Call) -> Response:
    """Send what needs attention again, tasks and notices."""
    deps = call.deps.operations
    async with deps.database.transaction() as connection:
        request_id = await visible(call, connection)
        await retry_task.retry_request(connection, request_id=request_id, actor=call.principal.client_id, deps=deps)
    deps.wakes.ring()
    return json_response(await load(call, request_id))


async def confirm(call: Call) -> Response:
    """Say that resolved identities are the subject's."""
    deps = call.deps.operations
    body = bodies.parse(ReasonIn, await bodies.read(call.request, limit=256 * bodies.KIB))
    async with deps.database.transaction() as connection:
        request_id = await visible(call, connection)
        await confirm_identities.confirm_identities(
            connection, request_id=request_id, reason=body.reason, actor=call.principal.client_id, deps=deps
        )
    deps.wakes.ring()
    return json_response(await load(call, request_id))


async def retry_one(call: Call) -> Response:
    """Send one task again."""
    deps = call.deps.operations
    async with deps.database.transaction() as connection:
        task_id = await _visible_task(call, connection)
        await retry_task.retry_task(connection, task_id=task_id, actor=call.principal.client_id, deps=deps)
        answer = await _task(connection, task_id)
    deps.wakes.ring()
    return json_response(answer)


async def skip(call: Call) -> Response:
    """Give a task up."""
    deps = call.deps.operations
    body = bodies.parse(ReasonIn, await bodies.read(call.request, limit=256 * bodies.KIB))
    async with deps.database.transaction() as connection:
        task_id = await _visible_task(call, connection)
        await skip_task.skip_task(
            connection, task_id=task_id, reason=body.reason, actor=call.principal.client_id, deps=deps
        )
        answer = await _task(connection, task_id)
    deps.wakes.ring()
    return json_response(answer)


async def _visible_task(call: Call, connection: Connection) -> str:
    task_id = call.path("task_id")
    if not ids.is_id("tsk", task_id):
        raise NotFound
    if await connection.fetchval(SQL["task_visible"], task_id, call.principal.livemode, owner(call)) is None:
        raise NotFound
    return task_id


async def _task(connection: Connection, task_id: str) -> TaskOut:
    row = await connection.fetchrow(SQL["task"], task_id)
    if row is None:
        raise NotFound
    return task_out(row)


OPERATIONS = (
    Operation(
        "POST", "/v1/requests/{request_id}/cancel", Scope.REQUESTS_CANCEL, "Cancel a request", cancel, RequestOut,
        codes=("not_found", "request_ended", "effects_under_way", "illegal_transition"),
        description="Until the first task that changes anything is sent; then 409. Cancelling twice changes nothing.",
    ),
    Operation(
        "POST", "/v1/requests/{request_id}/retry", Scope.REQUESTS_OPERATE, "Retry a request", retry_stuck, RequestOut,
        codes=("not_found", "nothing_to_retry", "request_cancelling"),
        description="Sends every open task that needs attention again, and mails that came back or did not go out.",
    ),
    Operation(
        "POST", "/v1/requests/{request_id}/confirm-identities", Scope.REQUESTS_OPERATE, "Confirm resolved identities",
        confirm, RequestOut, body=ReasonIn, codes=("not_found", "nothing_to_confirm", "validation_failed"),
        example=REASON,
        description="Lets a request go on that stopped with `ambiguous_identity`, since what was resolved may point to "
        "two people. Look first; if it does, cancel the request instead. The reason stands on the timeline.",
    ),
    Operation(
        "POST", "/v1/tasks/{task_id}/retry", Scope.REQUESTS_OPERATE, "Retry a task", retry_one, TaskOut,
        codes=("not_found", "task_settled", "task_not_sent", "request_cancelling"),
        description="Sends an open task again; one that is settled stays so.",
    ),
    Operation(
        "POST", "/v1/tasks/{task_id}/skip", Scope.REQUESTS_OPERATE, "Skip a task", skip, TaskOut, body=ReasonIn,
        codes=("not_found", "task_settled", "validation_failed"), example=REASON,
        description="Gives the task up. The reason stands on the timeline; the request is fulfilled in part at most.",
    ),
)  # fmt: skip
