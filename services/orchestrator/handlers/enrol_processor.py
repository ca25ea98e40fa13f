"""Admits a processor: its topic, its row and its enrolment secret, which is derived and stored nowhere."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from contracts import ids
from contracts.enrolments import EnrolmentOut
from contracts.topics import NOTIFIER
from services.chassis.log import get_logger
from services.chassis.postgres.pool import Connection
from services.chassis.postgres.queries import Queries
from services.orchestrator.domain.errors import NotAllowed
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.record_acts import record_act

log = get_logger(__name__)
SQL = Queries.load("services.orchestrator.store", "enrolments.sql")

Provision = Callable[[str], Awaitable[None]]


async def enrol_processor(
    *, processor: str, kind: str, livemode: bool, actor: str, provision: Provision, deps: Dependencies
) -> EnrolmentOut:
    """Enrol, and return the secret for the connector host; enrolling twice gives the same enrolment twice.

    A retired id is enrolled anew, under an enrolment of its own, so that old keys never revive. The topic is made
    first: a row without a topic would be planned for. Raises `NotAllowed` for an id that is enrolled as another kind,
    and for one that was ever enrolled in the other mode: tasks and settings of that mode may still lie under it.
    """
    if processor == NOTIFIER:
        raise NotAllowed("processor_reserved", "The notifier is enrolled by deployment; choose another id.")
    async with deps.database.connection() as connection:
        _check(await connection.fetchrow(SQL["standing"], processor), kind, livemode)
    await provision(processor)
    async with deps.database.transaction() as connection:
        row = await _admit(connection, processor, kind, livemode, actor, deps)
    deps.wakes.planner.set()
    log.info("processor.enrolled", processor=processor, kind=kind, livemode=livemode, client_id=actor)
    return enrolment_of(row, row["secret_version"], deps)


def enrolment_of(row: Any, version: int, deps: Dependencies) -> EnrolmentOut:
    """Return a processor's enrolment with the secret of one version; `row` has its columns."""
    secret = deps.root.enrolment_secret(row["id"], row["enrolment_id"], version)
    return EnrolmentOut(
        processor=row["id"],
        kind=row["kind"],
        livemode=row["livemode"],
        enrolment=row["enrolment_id"],
        version=version,
        secret=base64.b64encode(secret).decode(),
    )


async def _admit(
    connection: Connection,
    processor: str,
    kind: str,
    livemode: bool,  # noqa: FBT001
    actor: str,
    deps: Dependencies,
) -> Any:
    new = ids.new("enr")
    if await connection.fetchval(SQL["enrol"], processor, kind, new, deps.clock.now(), livemode, actor) is not None:
        detail = {"kind": kind, "enrolment": new}
        await record_act(connection, processor=processor, act="enrolled", actor=actor, deps=deps, **detail)
    row = await connection.fetchrow(SQL["standing"], processor)
    _check(row, kind, livemode)
    await connection.execute(SQL["wake_waiting"], livemode)
    return row


def _check(row: Any, kind: str, livemode: bool) -> None:  # noqa: FBT001
    if row is not None and row["livemode"] is not livemode:
        raise NotAllowed(
            "processor_mode_differs", "An id keeps its mode for ever, also when it is retired: choose another id."
        )
    if row is not None and row["state"] != "retired" and row["kind"] != kind:
        raise NotAllowed(
            "processor_kind_differs", "This id is enrolled as another kind: retire it first, or choose another id."
        )
