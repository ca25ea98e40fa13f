"""Approves a manifest that asks for more than the one before: from now on tasks are planned by it."""

import json
from typing import Any

from contracts.processors import WireManifest
from services.chassis.log import get_logger
from services.chassis.postgres.pool import Connection
from services.orchestrator.domain.errors import NotAllowed, NotFound
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import SQL
from services.orchestrator.handlers.keep_order import circle_through, one_at_a_time
from services.orchestrator.handlers.record_acts import record_act
from services.orchestrator.handlers.record_announcements import tell_of_move, wake_requests

log = get_logger(__name__)


async def approve_manifest(
    connection: Connection, *, processor: str, version: int | None = None, actor: str, deps: Dependencies
) -> None:
    """Approve the pending manifest, of `version` if that is said.

    Raises `NotFound`, or `NotAllowed` when none is pending, it is of another version, or it closes a circle.
    """
    await one_at_a_time(connection)
    row = await connection.fetchrow(SQL["lock"], processor)
    pending = await _approvable(connection, row, version)
    approved = None if row["manifest"] is None else WireManifest.model_validate(json.loads(row["manifest"]))
    asked = pending.wider_than(approved)
    await connection.execute(SQL["approve"], processor, deps.clock.now(), actor)
    allowed = asked.model_dump(mode="json")
    version = row["pending_version"]
    await record_act(
        connection, processor=processor, act="approved", actor=actor, deps=deps, version=version, allowed=allowed
    )
    tell_of_move(processor, row["manifest"], pending)
    await wake_requests(connection, processor)
    deps.wakes.planner.set()
    log.info(
        "processor.manifest_approved",
        processor=processor,
        manifest_version=version,
        count=len(asked.named),
        client_id=actor,
    )


async def _approvable(connection: Connection, row: Any, version: int | None) -> WireManifest:
    """Return the manifest that waits, if it may take effect."""
    if row is None:
        raise NotFound
    if row["pending_manifest"] is None:
        raise NotAllowed("nothing_pending", "No manifest of this processor waits for approval.")
    if version not in (None, row["pending_version"]):
        raise NotAllowed("another_pending", "Another version waits by now: look at what it asks for, and approve that.")
    pending = WireManifest.model_validate(json.loads(row["pending_manifest"]))
    if path := await circle_through(connection, row["id"], pending):
        detail = (
            f"Kinds would have to come after each other: {path}. Take one of them out of an `after`, and announce it."
        )
        raise NotAllowed("order_in_a_circle", detail)
    return pending
