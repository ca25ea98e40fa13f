"""Notices that the broker is another cluster than before (wiped, restored): then messages may be gone."""

import asyncio
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaError

from services.chassis import metrics
from services.chassis.kafka.brokers import Brokers
from services.chassis.kafka.topics import cluster_id
from services.chassis.log import get_logger
from services.chassis.postgres.pool import Database

log = get_logger(__name__)

CHECK_EVERY = 2.0

_SEEN = "SELECT id FROM cluster"
_REMEMBER = """
INSERT INTO cluster (id) VALUES ($1)
ON CONFLICT (singleton) DO UPDATE SET id = excluded.id, seen_at = now()
"""


class ClusterWatch:
    """A loop's step: compares the broker's cluster id with the one remembered in the database."""

    def __init__(self, database: Database, brokers: Brokers, on_change: Callable[[], Awaitable[None]]) -> None:
        """Call `on_change` before the new id is remembered: if it fails, it is called again."""
        self._database = database
        self._brokers = brokers
        self._on_change = on_change
        self._mine: str | None = None
        self._answered = False

    @property
    def reachable(self) -> bool:
        """Whether a broker answered at the last look: consumers and producers that lost it wait without a word."""
        return self._answered

    async def step(self) -> int:
        """Look once; a broker that is away is no news."""
        try:
            async with asyncio.timeout(10):
                now = await cluster_id(self._brokers)
        except (KafkaError, TimeoutError, OSError):
            self._answered = False
            return 0
        self._answered = True
        async with self._database.connection() as connection:
            seen = await connection.fetchval(_SEEN)
        # Another replica may have remembered the new cluster already; this process must still start afresh.
        if (seen is not None and seen != now) or (self._mine is not None and self._mine != now):
            metrics.CLUSTER_CHANGED.inc()
            log.error("cluster.changed", reason="another_cluster_than_before")
            await self._on_change()
        if seen != now:
            async with self._database.connection() as connection:
                await connection.execute(_REMEMBER, now)
        self._mine = now
        return 0
