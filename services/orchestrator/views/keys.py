"""API keys as operators see them: never the key itself."""

from collections.abc import Mapping
from typing import Any

from contracts.http import KeyInfoOut
from habeas.vocabulary import Scope


def key_out(row: Mapping[str, Any]) -> KeyInfoOut:
    """Return a row of the query `keys`."""
    return KeyInfoOut(
        id=row["id"],
        client=row["client_id"],
        client_name=row["client_name"],
        scopes=tuple(Scope(one) for one in row["scopes"]),
        livemode=row["livemode"],
        hint=row["hint"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )
