"""Approves a manifest that asks for more than the one before: from now on tasks are planned by it."""

from services.chassis.log import get_logger
from services.chassis.postgres.pool import Connection
from services.orchestrator.domain.errors import NotAllowed, NotFound
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import SQL
from services.orchestrator.handlers.record_announcements import wake_requests

log = get_logger(__name__)


async def approve_manifest(connection: Connection, *, processor: str, actor: str, deps: Dependencies) -> None:
    """Approve the pending manifest; raises `NotFound`, or `NotAllowed` when none is pending."""
    row = await connection.fetchrow(SQL["lock"], processor)
    if row is None:
        raise NotFound
    if row["pending_manifest"] is None:
        raise NotAllowed("nothing_pending", "No manifest of this processor waits for approval.")
    await connection.execute(SQL["approve"], processor)
    await wake_requests(connection, processor)
    deps.wakes.planner.set()
    log.info("processor.manifest_approved", processor=processor, client_id=actor)
