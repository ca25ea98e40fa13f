"""Rotates a processor's enrolment secret: a further version, used once its host holds it, and older ones revoked."""

from typing import Any

from contracts.enrolments import EnrolmentOut
from services.chassis.log import get_logger
from services.chassis.postgres.pool import Connection
from services.orchestrator.domain.errors import NotAllowed, NotFound
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.enrol_processor import SQL, enrolment_of
from services.orchestrator.handlers.record_acts import record_act
from services.orchestrator.handlers.record_announcements import wake_requests

log = get_logger(__name__)


async def rotate_secret(connection: Connection, *, processor: str, actor: str, deps: Dependencies) -> EnrolmentOut:
    """Make the next version and return its secret; the same one again until a host has announced it.

    So an answer that was lost is asked for once more, and no more than two versions are ever valid. Raises `NotFound`,
    or `NotAllowed` for a retired processor.
    """
    row = await _lock(connection, processor)
    version = row["secret_version"]
    if version in row["announced_versions"]:
        version = await connection.fetchval(SQL["rotate"], processor, deps.clock.now(), actor)
        await record_act(connection, processor=processor, act="rotated", actor=actor, deps=deps, version=version)
        log.info("processor.rotated", processor=processor, version=version, client_id=actor)
    return enrolment_of(row, version, deps)


async def revoke_versions(
    connection: Connection, *, processor: str, below: int, actor: str, deps: Dependencies
) -> None:
    """Refuse from now on what versions lower than `below` prove; nothing is sealed under them either.

    Until its host announces a version that is left, nothing new is sent to the processor. Raises `NotFound`, or
    `NotAllowed` for a retired processor and for a version that was never made: none would be left.
    """
    row = await _lock(connection, processor)
    newest = row["secret_version"]
    if below > newest:
        raise NotAllowed(
            "version_not_made", f"The newest version is {newest}: rotate first, so that one is left to go on with."
        )
    if below <= row["min_secret_version"]:
        return
    await connection.execute(SQL["revoke"], processor, below, deps.clock.now(), actor)
    await record_act(connection, processor=processor, act="revoked", actor=actor, deps=deps, below=below)
    await wake_requests(connection, processor)
    log.warning("processor.versions_revoked", processor=processor, version=below, client_id=actor)


async def _lock(connection: Connection, processor: str) -> Any:
    row = await connection.fetchrow(SQL["lock_versions"], processor)
    if row is None:
        raise NotFound
    if row["state"] == "retired":
        raise NotAllowed("already_retired", "The processor is retired: none of its versions is believed any more.")
    return row
