"""Dead letters of the orchestrator, as if a consumer had refused what came."""

from dataclasses import dataclass
from typing import Any

from services.chassis.dead_letters import DeadLetters
from services.chassis.kafka.decoding import Refused
from tests.integration.services.orchestrator.conftest import Api


@dataclass
class Record:
    """What a consumer polled."""

    topic: str = "habeas.reports.v1"
    partition: int = 3
    offset: int = 7
    key: bytes | None = b"req_1"
    value: bytes | None = b'{"broken": true}'
    headers: Any = (("ce_id", b"evt_1"), ("ce_type", b"dev.habeas.task.settled.v1"))


async def add_letters(api: Api, *offsets: int) -> list[int]:
    """Keep a dead letter for each of `offsets`; return their numbers."""
    letters = DeadLetters(api.deps.root.secret, days=30)
    async with api.deps.database.transaction() as connection:
        for offset in offsets:
            await letters.add(connection, "reports", [Refused(Record(offset=offset), "malformed_body", True, "evt_1")])
    return [row["id"] for row in await api.rows("SELECT id FROM dead_letters ORDER BY id")]
