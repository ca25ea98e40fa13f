"""Writes down what people deliberately did with a processor: it outlives the enrolment that it was done to."""

import json
from typing import Any, Literal

from services.chassis.postgres.pool import Connection
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import SQL

Act = Literal["enrolled", "approved", "rotated", "revoked", "retired"]


async def record_act(
    connection: Connection, *, processor: str, act: Act, actor: str, deps: Dependencies, **detail: Any
) -> None:
    """Append an act of `actor`, a client's id; the caller holds the processor's row. No personal data in `detail`."""
    await connection.execute(SQL["act"], processor, act, deps.clock.now(), actor, json.dumps(detail))
