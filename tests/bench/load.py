"""Files requests by HTTP as a client would, and watches the database for their completion."""

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import asyncpg
import httpx

from tests.bench.stage import Stage

PATIENCE = 240.0  # seconds until a run has failed
IN_FLIGHT = 4
LOOK_EVERY = 0.1

# Each look walks an index of what is left, and stops at the first find: looking must not become a part of the cost.
_OPEN = "SELECT EXISTS (SELECT FROM orchestrator.requests WHERE completed_at IS NULL)"
_LEFT = """
SELECT EXISTS (SELECT FROM orchestrator.outbox) OR EXISTS (SELECT FROM connectors.outbox)
    OR EXISTS (SELECT FROM connectors.tasks WHERE state <> 'closed')
    OR EXISTS (SELECT FROM orchestrator.notices WHERE state = 'due')
"""
_SANE = """
SELECT count(*) FILTER (WHERE r.outcome ->> 'headline' = 'fulfilled' AND r.settled_tasks = $2) AS fulfilled,
       count(*) AS stored
FROM orchestrator.requests r WHERE r.channel = $1
"""


class Spoilt(RuntimeError):
    """What was measured is not what should have happened, so the figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds from the first filing: until all was filed, all was completed, and nothing was left to do."""

    requests: int
    filed: float
    completed: float
    drained: float


def bodies(count: int, batch: int, *, channel: str, contact: bool) -> list[bytes]:
    """Return filings of `count` different people in batches, ready to be sent."""
    found = []
    for start in range(0, count, batch):
        some = [_request(channel, number, contact=contact) for number in range(start, min(start + batch, count))]
        found.append(json.dumps({"requests": some}).encode())
    return found


def _request(channel: str, number: int, *, contact: bool) -> dict[str, Any]:
    name = f"{channel}-{number}"
    subject: dict[str, Any] = {
        "identities": [
            {"type": "email", "value": f"{name}@example.com"},
            {"type": "customer_id", "value": f"c-{name}"},
        ],
        "language": "nl",
        "country": "NL",
    }
    if contact:
        subject["contact"] = {"email": f"{name}@example.com"}
    return {
        "right": "erasure",
        "subject": subject,
        "identity_check": {"method": "client_asserted"},
        "reference": f"T-{name}",
        "channel": channel,
    }


class Client:
    """A client of the API beside a look into the database; use it as a context."""

    def __init__(self, stage: Stage) -> None:
        """Talk to `stage`."""
        self._stage = stage
        key = {"Authorization": f"Bearer {stage.stack.key}", "Content-Type": "application/json"}
        self._http = httpx.AsyncClient(base_url=stage.stack.url, headers=key, timeout=120, trust_env=False)
        self._database: asyncpg.Connection[asyncpg.Record] | None = None

    async def __aenter__(self) -> Self:
        """Connect."""
        self._database = await asyncpg.connect(self._stage.stack.postgres_url)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up."""
        await self._http.aclose()
        await self.database.close()

    @property
    def database(self) -> "asyncpg.Connection[asyncpg.Record]":
        """The connection of the owner."""
        assert self._database is not None
        return self._database

    async def run(self, requests: int, *, batch: int, contact: bool = False) -> Run:
        """File `requests` in batches, several in flight, and wait until all are completed and nothing is left.

        Raises `Spoilt` unless each came out fulfilled.
        """
        channel = f"b{secrets.token_hex(6)}"
        filings = bodies(requests, batch, channel=channel, contact=contact)
        began = time.perf_counter()
        await self._file(filings)
        filed = time.perf_counter() - began
        await self._until(_OPEN)
        completed = time.perf_counter() - began
        await self._until(_LEFT)
        drained = time.perf_counter() - began
        row = await self.database.fetchrow(_SANE, channel, 4)
        if row is None or row["fulfilled"] != requests or row["stored"] != requests:
            raise Spoilt(f"{requests} filed, {row and row['stored']} stored, {row and row['fulfilled']} fulfilled")
        return Run(requests, filed, completed, drained)

    async def one(self) -> float:
        """Return the seconds from filing one request to its completion."""
        channel = f"b{secrets.token_hex(6)}"
        body = json.dumps(_request(channel, 0, contact=False)).encode()
        began = time.perf_counter()
        answer = await self._http.post("/v1/requests", content=body, headers={"Idempotency-Key": channel})
        answer.raise_for_status()
        request = answer.json()["id"]
        look = await self.database.prepare("SELECT completed_at FROM orchestrator.requests WHERE id = $1")
        while await look.fetchval(request) is None:
            if time.perf_counter() - began > PATIENCE:
                raise Spoilt("a single request was never completed")
            await asyncio.sleep(0.001)
        return time.perf_counter() - began

    async def _file(self, filings: Sequence[bytes]) -> None:
        waiting = list(reversed(filings))

        async def send() -> None:
            while waiting:
                key = {"Idempotency-Key": secrets.token_hex(12)}
                answer = await self._http.post("/v1/requests/batch", content=waiting.pop(), headers=key)
                answer.raise_for_status()

        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(send())

    async def _until(self, nothing: str) -> None:
        deadline = time.perf_counter() + PATIENCE
        while await self.database.fetchval(nothing):
            if time.perf_counter() > deadline:
                raise Spoilt("not everything was done in time")
            await asyncio.sleep(LOOK_EVERY)
