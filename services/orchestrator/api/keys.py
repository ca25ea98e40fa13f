"""API keys: list, issue, revoke."""

from starlette.responses import Response

from contracts import ids
from contracts.http import KeyIn, KeyInfoOut, KeyOut, Page
from habeas.vocabulary import Scope
from services.chassis.log import get_logger
from services.orchestrator.api import bodies
from services.orchestrator.api.examples import KEY
from services.orchestrator.api.problems import ProblemRaised
from services.orchestrator.api.requests import OnlyCursor
from services.orchestrator.api.routing import Call, Operation, json_response, require
from services.orchestrator.domain.errors import NotFound
from services.orchestrator.handlers.issue_key import SQL, bootstrap_key, revoke_key
from services.orchestrator.views.keys import key_out

log = get_logger(__name__)


async def list_keys(call: Call) -> Response:
    """Return the keys of the caller's mode."""
    bodies.parse_query(OnlyCursor, call.request)
    async with call.deps.operations.database.connection() as connection:
        rows = await connection.fetch(SQL["keys"], call.principal.livemode, None)
    return json_response(Page[KeyInfoOut](data=tuple(key_out(row) for row in rows)))


async def issue_key(call: Call) -> Response:
    """Issue a key to a client."""
    body = bodies.parse(KeyIn, await bodies.read(call.request, limit=256 * bodies.KIB))
    for scope in body.scopes:
        require(call.principal, scope)  # nobody can give what they do not have
    if body.livemode and not call.principal.livemode:
        raise ProblemRaised("scope_missing", "A key for rehearsals cannot issue one for the real thing.")
    async with call.deps.operations.database.transaction() as connection:
        key = await bootstrap_key(connection, body.client, body.scopes, body.livemode, expires_at=body.expires_at)
    log.info("key.issued", client_id=call.principal.client_id, scope=[scope.value for scope in body.scopes])
    return json_response(key, 201)


async def revoke(call: Call) -> Response:
    """End a key."""
    deps = call.deps.operations
    key_id = call.path("key_id")
    if not ids.is_id("key", key_id):
        raise NotFound
    async with deps.database.transaction() as connection:
        await revoke_key(connection, key_id, at=deps.clock.now())
        row = await connection.fetchrow(SQL["keys"], call.principal.livemode, key_id)
        if row is None:
            raise NotFound
    log.info("key.revoked", client_id=call.principal.client_id)
    return json_response(key_out(row))


OPERATIONS = (
    Operation(
        "GET", "/v1/keys", Scope.KEYS_ADMIN, "List API keys", list_keys, Page[KeyInfoOut],
        description="The keys of your mode, revoked ones included; never the keys themselves.",
    ),
    Operation(
        "POST", "/v1/keys", Scope.KEYS_ADMIN, "Issue an API key", issue_key, KeyOut, status=201, body=KeyIn,
        example=KEY, description="Its secret is shown this once. Nobody can give a scope that they do not have.",
    ),
    Operation(
        "DELETE", "/v1/keys/{key_id}", Scope.KEYS_ADMIN, "Revoke an API key", revoke, KeyInfoOut,
        codes=("not_found",), description="It stops working within seconds. Revoking twice changes nothing.",
    ),
)  # fmt: skip
