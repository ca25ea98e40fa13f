"""Issues and revokes API keys."""

from collections.abc import Sequence
from datetime import datetime

from contracts import ids
from contracts.http import KeyOut
from habeas.vocabulary import Scope
from services.chassis.postgres.pool import Connection
from services.chassis.postgres.queries import Queries
from services.orchestrator.domain import api_key

SQL = Queries.load("services.orchestrator.store", "clients.sql")


async def bootstrap_key(
    connection: Connection,
    name: str,
    scopes: Sequence[Scope],
    livemode: bool,  # noqa: FBT001
    *,
    expires_at: datetime | None = None,
) -> KeyOut:
    """Issue a key to the client called `name`, which is made when there is none; its secret is shown only here."""
    client_id = await connection.fetchval(SQL["client"], ids.new("cli"), name)
    key = api_key.mint(livemode=livemode)
    key_id = ids.new("key")
    words = [scope.value for scope in scopes]
    await connection.execute(SQL["issue"], key_id, client_id, livemode, words, key.digest, key.hint, expires_at)
    return KeyOut(id=key_id, client=client_id, scopes=tuple(scopes), livemode=livemode, secret=key.text)


async def revoke_key(connection: Connection, key_id: str, *, at: datetime) -> bool:
    """Revoke a key; False when there is none or it was revoked before. It may work for a few seconds more."""
    return await connection.fetchval(SQL["revoke"], key_id, at) is not None
