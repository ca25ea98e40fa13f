"""The relay: outbox rows to Kafka by one process at a time, in order for each key, deleted once the broker has them."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, UnknownTopicOrPartitionError
from aiokafka.partitioner import murmur2

from services.chassis import metrics
from services.chassis.faultpoints import faultpoint
from services.chassis.kafka.brokers import Brokers
from services.chassis.log import describe, get_logger
from services.chassis.loops import Wake
from services.chassis.postgres.leases import Lease
from services.chassis.postgres.pool import Database
from services.chassis.postgres.queries import Queries

log = get_logger(__name__)
SQL = Queries.load(__package__, "relay.sql")

WINDOW = 2_000  # rows read at a time
WINDOWS = 5  # how far to look past partitions that hang
BATCH_BYTES = 900 * 1024  # below the broker's message.max.bytes
PATIENCE = 1.0  # seconds for acks before other partitions go on without the one that hangs
ASK_AGAIN = 1.0  # seconds between questions after a topic that is missing
ASK_WITHIN = 0.25  # seconds that others wait while a topic is asked after for the first time
STOP_WITHIN = 5.0  # an idempotent producer's stop() would wait for the broker for ever
LEASE_SECONDS = 5.0
LOOK_BACK = 0.1  # seconds until rows are looked for from the first id again

Lane = tuple[str, int]


@dataclass(slots=True)
class _Flight:
    """What is on its way to one partition."""

    task: asyncio.Task[None]
    rows: Sequence[Any] = field(repr=False)


class Relay:
    """A loop's step. Sending twice is allowed (readers are idempotent); losing and reordering a key are not."""

    def __init__(self, database: Database, brokers: Brokers, *, service: str, holder: str, wake: Wake) -> None:
        """Relay the outbox of `service`; `holder` names this process, `wake` rings when there are new rows."""
        self._database = database
        self._brokers = brokers
        self._service = service
        self._lease = Lease(database, "relay", holder, LEASE_SECONDS)
        self._producer: AIOKafkaProducer | None = None
        self._partitions: dict[str, int] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._missing: dict[str, float] = {}  # topics, and when to ask after them again
        self._most: dict[str, int] = {}  # bytes of a batch that a topic takes, where it refused more
        self._flights: dict[Lane, _Flight] = {}
        self._acked: list[int] = []
        self._broken: str | None = None
        self._held_until = 0.0
        self._passed = 0
        self._look_back_at = 0.0
        self.wake = wake

    async def step(self) -> int:
        """Send one window; return how many rows the broker took."""
        if not await self._leads():
            await self._land()
            return 0
        if self._broken is not None:
            log.warning("relay.producer_rebuilt", reason=self._broken)
            await self._land()
        producer = await self._ready()
        for lane, rows in (await self._lanes()).items():
            self._flights[lane] = _Flight(asyncio.create_task(self._send(producer, lane, rows)), rows)
        if self._flights:
            await asyncio.wait([flight.task for flight in self._flights.values()], timeout=PATIENCE)
        done = {lane: flight for lane, flight in self._flights.items() if flight.task.done()}
        for lane in done:
            del self._flights[lane]
        return await self._delete()

    async def close(self) -> None:
        """Stop sending and let the next process lead at once."""
        await self._land()
        try:
            async with asyncio.timeout(STOP_WITHIN):
                await self._lease.release()
        except Exception as error:  # noqa: BLE001  # the lease ends by itself
            log.debug("relay.lease_left", error=describe(error))

    def rebuild(self, reason: str) -> None:
        """Start over with a new producer at the next step; rows that were not acknowledged are sent again."""
        self._broken = reason

    async def _leads(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._held_until and not self._broken:
            return True
        asked = now
        held = await self._lease.hold()
        # Counted from before the question, and renewed at half-time: never longer than the row says.
        self._held_until = asked + LEASE_SECONDS / 2 if held else 0.0
        metrics.RELAY_LEADER.set(1 if held else 0)
        return held

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._brokers.options(),
                client_id=f"habeas-{self._service}-relay",
                enable_idempotence=True,
                acks="all",
                linger_ms=0,
                max_batch_size=BATCH_BYTES,
                max_request_size=BATCH_BYTES + 64 * 1024,
                request_timeout_ms=10_000,
                metadata_max_age_ms=30_000,
            )
            try:
                await producer.start()
            except BaseException:
                await _stop(producer)
                raise
            self._producer = producer
        return self._producer

    async def _lanes(self) -> dict[Lane, list[Any]]:
        """Read the next rows by partition, leaving out partitions that still have some on their way.

        Behind the rows that were read before, so as not to walk the index over deleted ones each time; from the start
        every now and then, for a lower id may be committed later than a higher one (never of one key).
        """
        now = asyncio.get_running_loop().time()
        if now >= self._look_back_at:
            self._passed, self._look_back_at = 0, now + LOOK_BACK
        lanes = await self._read(self._passed)
        if lanes:
            faultpoint("relay.claimed")
        return lanes

    async def _read(self, after: int) -> dict[Lane, list[Any]]:
        lanes: dict[Lane, list[Any]] = defaultdict(list)
        left_out: int | None = None
        # However many rows a missing topic has, they fill no window; and what was left out once stays so until the
        # next look back, for a row may not be sent before those of its key that were passed.
        out = self._not_yet()
        for _ in range(WINDOWS):
            async with self._database.connection() as connection:
                rows = await connection.fetch(SQL["read"], after, WINDOW, list(out))
            out |= await self._ask({row["topic"] for row in rows})
            for row in rows:
                if row["topic"] in out:
                    continue
                lane = (row["topic"], _hash(row["key"]) % self._partitions[row["topic"]])
                if lane not in self._flights:
                    lanes[lane].append(row)
                elif left_out is None:
                    left_out = row["id"]
            after = rows[-1]["id"] if rows else after
            if lanes or len(rows) < WINDOW:
                break
        self._passed = after if left_out is None else left_out - 1
        return lanes

    def _not_yet(self) -> set[str]:
        """Return the topics that are being asked after, or were missing a moment ago."""
        now = asyncio.get_running_loop().time()
        for topic in [topic for topic, asking in self._asking.items() if asking.done()]:
            del self._asking[topic]
        return self._asking.keys() | {topic for topic, until in self._missing.items() if until > now}

    async def _ask(self, topics: set[str]) -> set[str]:
        """Learn how many partitions topics have, by one question for each; return those that are left out for now.

        Rows of one that was left out before may have been passed: it comes in with the next look back.
        """
        unknown = topics - self._partitions.keys()
        new = unknown - self._asking.keys() - self._missing.keys()
        for topic in unknown - self._asking.keys():
            self._asking[topic] = asyncio.create_task(self._count(topic))
        if new:
            await asyncio.wait([self._asking[topic] for topic in new], timeout=ASK_WITHIN)
        return unknown - (new & self._partitions.keys())

    async def _count(self, topic: str) -> None:
        assert self._producer is not None  # noqa: S101  # _ready came first
        try:
            async with asyncio.timeout(PATIENCE):
                known = await self._producer.partitions_for(topic)
        except (KafkaError, TimeoutError):
            known = set()
        if known:
            self._partitions[topic] = len(known)
            self._missing.pop(topic, None)
            self._look_back_at = 0.0
            return
        if topic not in self._missing:
            log.warning("relay.topic_missing", topic=topic)
        metrics.RELAY_FAILURES.labels("unknown_topic").inc()
        self._missing[topic] = asyncio.get_running_loop().time() + ASK_AGAIN

    async def _send(self, producer: AIOKafkaProducer, lane: Lane, rows: Sequence[Any]) -> None:
        """Send rows of one partition, one batch after the other, each acknowledged before the next."""
        topic, partition = lane
        rest, taken, size = list(rows), 0, 0
        try:
            while rest:
                batch = producer.create_batch()
                taken = _fill(batch, rest, self._most.get(topic, BATCH_BYTES))
                size = batch.size()
                if taken == 0:
                    await self._bury(rest.pop(0))
                    continue
                acknowledged = await producer.send_batch(batch, topic, partition=partition)
                faultpoint("relay.sent")
                await acknowledged
                self._acked += [row["id"] for row in rest[:taken]]
                del rest[:taken]
        except MessageSizeTooLargeError:
            if taken == 1:
                await self._bury(rest[0])
            else:
                self._most[topic] = size // 2
            self.rebuild("message_too_large")
        except UnknownTopicOrPartitionError:
            self._partitions.pop(topic, None)
            self.rebuild("unknown_topic")
        except Exception as error:  # noqa: BLE001  # sequence errors above all: only a new producer recovers
            metrics.RELAY_FAILURES.labels(type(error).__name__).inc()
            self.rebuild(describe(error))

    async def _bury(self, row: Any) -> None:
        """Mark a row that can never be sent; everybody else goes on."""
        async with self._database.connection() as connection:
            await connection.execute(SQL["bury"], row["id"], "oversize")
        metrics.OUTBOX_DEAD.inc()
        log.error("outbox.row_dead", topic=row["topic"], reason="oversize")

    async def _delete(self) -> int:
        if not self._acked:
            return 0
        ids = self._acked
        faultpoint("relay.acked")
        async with self._database.connection() as connection:
            await connection.execute(SQL["delete"], ids)
        self._acked = []
        faultpoint("relay.deleted")
        metrics.RELAYED.inc(len(ids))
        return len(ids)

    async def _land(self) -> None:
        """Forget all that is on its way, and the producer with it."""
        self._broken = None
        self._acked = []
        self._passed = 0
        self._partitions.clear()
        tasks = [*(flight.task for flight in self._flights.values()), *self._asking.values()]
        self._flights, self._asking = {}, {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)


@lru_cache(maxsize=16_384)
def _hash(key: str) -> int:
    """Return what Kafka's own clients make of a key. In plain Python it costs; a request has many messages."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF)


def _fill(batch: Any, rows: Sequence[Any], most: int) -> int:
    """Put as many of `rows` into `batch` as fit into `most` bytes, one at least; return how many."""
    for taken, row in enumerate(rows):
        if taken and batch.size() + len(row["headers"]) + len(row["value"]) > most:
            return taken
        headers = [(name, value.encode("latin-1")) for name, value in json.loads(row["headers"]).items()]
        if batch.append(key=row["key"].encode(), value=row["value"], timestamp=None, headers=headers) is None:
            return taken
    return len(rows)


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(STOP_WITHIN):
            await producer.stop()
    except (TimeoutError, KafkaError):
        await producer.client.close()
