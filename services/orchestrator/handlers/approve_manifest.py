"""Approves a manifest that asks for more than the one before: from now on tasks are planned by it."""

import json

from contracts.processors import WireManifest
from services.chassis.log import get_logger
from services.chassis.postgres.pool import Connection
from services.orchestrator.domain.errors import NotAllowed, NotFound
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import SQL
from services.orchestrator.handlers.keep_order import circle_through, one_at_a_time
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
    if row is None:
        raise NotFound
    if row["pending_manifest"] is None:
        raise NotAllowed("nothing_pending", "No manifest of this processor waits for approval.")
    if version not in (None, row["pending_version"]):
        raise NotAllowed("another_pending", "Another version waits by now: look at what it asks for, and approve that.")
    pending = WireManifest.model_validate(json.loads(row["pending_manifest"]))
    if path := await circle_through(connection, processor, pending):
        detail = (
            f"Kinds would have to come after each other: {path}. Take one of them out of an `after`, and announce it."
        )
        raise NotAllowed("order_in_a_circle", detail)
    await connection.execute(SQL["approve"], processor, deps.clock.now())
    tell_of_move(processor, row["manifest"], pending)
    await wake_requests(connection, processor)
    deps.wakes.planner.set()
    approved = None if row["manifest"] is None else WireManifest.model_validate(json.loads(row["manifest"]))
    asked = pending.wider_than(approved).named
    log.info(
        "processor.manifest_approved",
        processor=processor,
        manifest_version=row["pending_version"],
        count=len(asked),
        client_id=actor,
    )
