"""Keeps manifests from having to come after each other: a circle among those in effect would stop every request."""

import json

from contracts.processors import WireManifest
from services.chassis.postgres.pool import Connection
from services.orchestrator.domain.planning import circle, order_of
from services.orchestrator.handlers.directory import SQL


async def one_at_a_time(connection: Connection) -> None:
    """Let nobody else put a manifest into effect until this transaction ends: two could close a circle unseen.

    Taken before any processor's row is locked.
    """
    await connection.execute(SQL["one_at_a_time"])


async def circle_through(connection: Connection, processor: str, manifest: WireManifest) -> str | None:
    """Return the path on which `manifest`, in effect at `processor`, comes after itself; None where it does not."""
    rows = await connection.fetch(SQL["orders"], processor)
    others = [(row["kind"], json.loads(row["after"] or "[]")) for row in rows]
    path = circle(manifest.kind, order_of([*others, (manifest.kind, manifest.after)]))
    return None if path is None else " -> ".join(path)
