"""Takes what hosts announce: the first manifest of an enrolled processor, later ones if they ask for no more.

One by which kinds would have to come after each other waits as well, with the path in the log.
"""

import json
from collections.abc import Sequence
from typing import Any, cast

from contracts.message import Message
from contracts.processors import ProcessorAnnounced, WireManifest
from services.chassis.kafka.incoming import Incoming
from services.chassis.log import get_logger
from services.chassis.postgres.pool import Connection
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import SQL
from services.orchestrator.handlers.keep_order import circle_through, one_at_a_time

log = get_logger(__name__)


class RecordAnnouncements:
    """The handler of `habeas.processors.v1`."""

    def __init__(self, deps: Dependencies) -> None:
        """Record with `deps`."""
        self._deps = deps

    async def __call__(self, connection: Connection, batch: Sequence[Incoming[Message]]) -> None:
        """Record a batch: only the last word of each processor counts, whenever it comes."""
        last: dict[str, ProcessorAnnounced] = {}
        for one in cast("Sequence[Incoming[ProcessorAnnounced]]", batch):
            known = last.get(one.body.processor)
            if known is None or known.at <= one.body.at:
                last[one.body.processor] = one.body
        await one_at_a_time(connection)
        for processor in sorted(last):
            await self._record(connection, last[processor])

    async def _record(self, connection: Connection, body: ProcessorAnnounced) -> None:
        row = await connection.fetchrow(SQL["lock"], body.processor)
        if row is None or row["state"] == "retired" or _is_older(body, row):
            return
        # A host whose clock is ahead must not outshout those that come after it.
        heard_at = min(body.at, self._deps.clock.now())
        if row["incarnation"] == body.incarnation:
            await connection.execute(SQL["hear"], body.processor, heard_at)
            return
        if body.kind != row["kind"] or body.manifest.kind != row["kind"]:
            log.error("processor.kind_differs", processor=body.processor, kind=body.kind)
            return
        manifest = body.manifest.model_dump_json()
        arguments = (
            body.processor, manifest, body.manifest_version, list(body.key_versions), body.incarnation, heard_at
        )  # fmt: skip
        if path := await circle_through(connection, body.processor, body.manifest):
            await connection.execute(SQL["hold_manifest"], *arguments)
            await wake_requests(connection, body.processor)
            log.error("processor.order_in_a_circle", processor=body.processor, problem=path)
            return
        if asks := _asks(body.manifest, row):
            await connection.execute(SQL["hold_manifest"], *arguments)
            log.warning(
                "processor.manifest_waits",
                processor=body.processor,
                manifest_version=body.manifest_version,
                count=len(asks),
                problem=", ".join(asks),
            )
            return
        await connection.execute(SQL["announce"], *arguments, self._deps.clock.now())
        tell_of_move(body.processor, row["manifest"], body.manifest)
        await wake_requests(connection, body.processor)
        log.info("processor.announced", processor=body.processor, manifest_version=body.manifest_version)


async def wake_requests(connection: Connection, processor: str) -> None:
    """Let the planner look at every open request that a change of this processor may concern."""
    rows = await connection.fetch(SQL["requests_touched"], processor)
    if rows:
        await connection.execute(SQL["wake_requests"], sorted(row["id"] for row in rows))


def tell_of_move(processor: str, before: str | None, now: WireManifest) -> None:
    """Let operators see that data is somewhere else: people are told so from now on, and have to be told nothing else.

    It is no question of approval: what a manifest says of where data is, is so already.
    """
    country = None if before is None else json.loads(before)["country"]
    if country not in (None, now.country):
        log.warning(
            "processor.moved", processor=processor, problem=f"its data was in {country} and is in {now.country}"
        )


def _is_older(body: ProcessorAnnounced, row: Any) -> bool:
    """Whether something later is known: what was read before may come again, and must not undo it."""
    return row["announced_at"] is not None and body.at < row["announced_at"]


def _asks(manifest: WireManifest, row: Any) -> tuple[str, ...]:
    """Return what it asks for beyond what was approved, in words; enrolling a processor approves its first manifest."""
    approved = row["manifest"]
    return () if approved is None else manifest.wider_than(WireManifest.model_validate(json.loads(approved))).named
