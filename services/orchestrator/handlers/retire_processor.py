"""Retires a processor: open requests go on without it, and their outcomes say so."""

from services.chassis.log import get_logger
from services.chassis.postgres.pool import Connection
from services.orchestrator.domain.errors import NotAllowed, NotFound
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import SQL
from services.orchestrator.handlers.record_acts import record_act
from services.orchestrator.handlers.record_announcements import wake_requests

log = get_logger(__name__)


async def retire_processor(
    connection: Connection, *, processor: str, reason: str, actor: str, deps: Dependencies
) -> None:
    """Retire one; raises `NotFound`, or `NotAllowed` for one that is retired already. `reason` is kept on its row."""
    row = await connection.fetchrow(SQL["lock"], processor)
    if row is None:
        raise NotFound
    if row["state"] == "retired":
        raise NotAllowed("already_retired", "The processor is retired already; enrol it anew to use it again.")
    await connection.execute(SQL["retire"], processor, deps.clock.now(), reason, actor)
    await record_act(connection, processor=processor, act="retired", actor=actor, deps=deps, reason=reason)
    await wake_requests(connection, processor)
    log.warning("processor.retired", processor=processor, client_id=actor)
