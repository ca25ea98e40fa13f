"""Takes batches from Kafka: a transaction for each, offsets as a hint, poison put aside, a halt when all is poison."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from opentelemetry.trace import SpanKind

from contracts.message import Message
from services.chassis import metrics, tracing
from services.chassis.dead_letters import DeadLetters
from services.chassis.faultpoints import faultpoint
from services.chassis.kafka.decoding import Believed, Decoded, Decoder, Raw, Refused, Skipped
from services.chassis.kafka.incoming import Incoming
from services.chassis.log import describe, get_logger
from services.chassis.loops import obey_cancel
from services.chassis.postgres.pool import TRANSIENT, Connection, Database
from services.chassis.postgres.queries import Queries

log = get_logger(__name__)
SQL = Queries.load(__package__, "consumer.sql")

COMMIT_WITHIN = 5.0
RETRY_MAX = 5.0
ASK_EVERY = 1.0  # seconds


class Poison(Exception):
    """A handler says that one record of its batch can not be taken: it becomes a dead letter, its neighbours go on."""

    def __init__(self, index: int, reason: str) -> None:
        """Take the record's place in the batch and a machine word."""
        super().__init__(reason)
        self.index = index
        self.reason = reason


class BatchHandler(Protocol):
    """Handles a batch in the caller's transaction; right under duplicates and any order."""

    async def __call__(self, connection: Connection, batch: Sequence[Incoming[Message]]) -> None:
        """Do all of it, by sets; raise `Poison` for a record that can not be taken."""


class Ended(Protocol):
    """Told of each transaction that a handler worked in."""

    def __call__(self, *, committed: bool) -> None:
        """Take note whether it was committed; False also where nobody knows."""


class PollingConsumer(Protocol):
    """What is needed of aiokafka's consumer."""

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Commit explicit offsets."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go back."""


class Taker:
    """Turns polled batches into committed work. It knows nothing of how they were polled."""

    def __init__(
        self,
        name: str,
        handler: BatchHandler,
        *,
        decoder: Decoder,
        refresh: Callable[[], Awaitable[None]],
        database: Database,
        dead_letters: DeadLetters,
        halt_after: int,
        after_commit: Callable[[], None] | None = None,
        ended: Ended | None = None,
        refresh_first: bool = False,
    ) -> None:
        """Take for consumer `name`; `after_commit` rings the bells of the loops that go on with the work.

        `ended` is told of each transaction, before anything else happens. `refresh` is called when a kid is unknown;
        with `refresh_first` before each batch, where keys that were valid a moment ago may be revoked by somebody else.
        """
        self.name = name
        self._handler = handler
        self._decoder = decoder
        self._refresh = refresh
        self._refresh_first = refresh_first
        self._database = database
        self._dead_letters = dead_letters
        self._halt_after = halt_after
        self._after_commit = after_commit
        self._ended = ended
        self._failures = 0
        self._failed_in_a_row = 0
        self._known = False
        self._may_go_on_until = 0.0
        self._finished: set[tuple[str, int, int]] = set()

    async def take(self, consumer: PollingConsumer, records: Sequence[Raw]) -> None:
        """Handle one polled batch and commit its offsets; on a failure that will pass, seek back and pause.

        Whatever happens, no record is passed over: each ends handled, as a dead letter, or polled again.
        """
        faultpoint("consumer.polled")
        started, began = time.perf_counter(), time.time_ns()
        self._finished.clear()
        try:
            if await self._halted():
                await self._back(consumer, records, pause=1.0)
                return
            decoded = await self._decode(records)
            await self._handle(decoded)
        except asyncio.CancelledError:
            # A cancel that was meant for something else must not silently end the polling of this consumer.
            obey_cancel()
            await self._failed(consumer, records, "Cancelled")
            return
        except _Halt:
            # What was put aside before is done with: a restart must not take it again.
            await self._commit(consumer, [record for record in records if _place(record) in self._finished])
            await self._back(consumer, records, pause=1.0)
            return
        except Exception as error:  # noqa: BLE001  # everything is tried again; what is poison was put aside before
            await self._failed(consumer, records, describe(error))
            return
        self._failures = 0
        faultpoint("consumer.committed")
        if self._after_commit is not None:
            self._after_commit()
        self._trace(decoded, began)
        await self._commit(consumer, records)
        faultpoint("consumer.offset_committed")
        metrics.CONSUMED.labels(self.name).inc(len(records))
        metrics.BATCH_SECONDS.labels(self.name).observe(time.perf_counter() - started)

    def _trace(self, decoded: Sequence[Decoded], began: int) -> None:
        """Record a span for each sampled message, below the context that it carried."""
        for one in decoded:
            if isinstance(one, Believed) and tracing.sampled(one.incoming.traceparent):
                tracing.record(
                    f"process {one.incoming.body.TYPE}",
                    one.incoming.traceparent,
                    kind=SpanKind.CONSUMER,
                    began=began,
                    attributes={
                        "messaging.system": "kafka",
                        "messaging.operation.name": "process",
                        "messaging.destination.name": one.incoming.topic,
                        "messaging.consumer.group.name": self.name,
                        "habeas.task_id": getattr(one.incoming.body, "task_id", ""),
                        "habeas.request_id": getattr(one.incoming.body, "request_id", ""),
                    },
                )

    async def _decode(self, records: Sequence[Raw]) -> list[Decoded]:
        if self._refresh_first:
            await self._refresh()
        decoded = [self._decoder.decode(record) for record in records]
        if not self._refresh_first and any(self._decoder.unknown_kid(one) for one in decoded):
            await self._refresh()
            decoded = [self._decoder.decode(one.record) if self._decoder.unknown_kid(one) else one for one in decoded]
        for one in decoded:
            if isinstance(one, Skipped):
                metrics.UNKNOWN_FACTS.labels(self.name).inc()
        return [one for one in decoded if not isinstance(one, Skipped)]

    async def _handle(self, decoded: Sequence[Decoded]) -> None:
        """Handle a part of a batch in one transaction; where that fails for good, halve it to find the culprit."""
        if not decoded:
            return
        try:
            await self._transact(decoded)
        except TRANSIENT:
            raise
        except Poison as error:
            believed = [one for one in decoded if isinstance(one, Believed)]
            await self._set_aside(decoded, believed[error.index], error.reason)
        except Exception as error:  # unknown: bisect, then put the single record aside
            believed = [one for one in decoded if isinstance(one, Believed)]
            if not believed:
                raise
            if len(decoded) == 1:
                await self._set_aside(decoded, believed[0], describe(error)[:64])
                return
            metrics.BATCH_RETRIES.labels(self.name).inc()
            middle = len(decoded) // 2
            await self._handle(decoded[:middle])
            await self._handle(decoded[middle:])

    async def _transact(self, decoded: Sequence[Decoded]) -> None:
        believed = [one.incoming for one in decoded if isinstance(one, Believed)]
        refused = [one for one in decoded if isinstance(one, Refused)]
        committed = False
        try:
            async with self._database.transaction() as connection:
                if believed:
                    await self._handler(connection, believed)
                await self._dead_letters.add(connection, self.name, refused)
                await self._count(connection, [one for one in refused if one.proven], good=bool(believed))
                faultpoint("consumer.before_commit")
            committed = True
        finally:
            if self._ended is not None:
                self._ended(committed=committed)
        self._finished.update(_place(one.record) for one in decoded)

    async def _set_aside(self, decoded: Sequence[Decoded], culprit: Believed, reason: str) -> None:
        """Make one record a dead letter (it was proven, so it counts to the halt) and handle the others."""
        if self._failed_in_a_row + 1 >= self._halt_after:
            await self._halt(reason)
        place = next(index for index, one in enumerate(decoded) if one is culprit)
        verdict = Refused(culprit.record, reason, proven=True, event_id=culprit.incoming.event_id)
        await self._handle([*decoded[:place], verdict, *decoded[place + 1 :]])

    async def _count(self, connection: Connection, failures: Sequence[Refused], *, good: bool) -> None:
        if failures:
            self._failed_in_a_row = await connection.fetchval(SQL["count_failures"], self.name, len(failures))
        elif good and (self._failed_in_a_row or not self._known):
            await connection.execute(SQL["count_success"], self.name)
            self._failed_in_a_row, self._known = 0, True

    async def _halt(self, reason: str) -> None:
        """Stop taking anything until an operator resumes: a bad deploy must not turn a topic into dead letters."""
        async with self._database.connection() as connection:
            await connection.execute(SQL["halt"], self.name, reason)
        self._may_go_on_until = 0.0
        metrics.HALTED.labels(self.name).set(1)
        log.error("consumer.halted", consumer=self.name, reason=reason, count=self._failed_in_a_row + 1)
        raise _Halt

    async def _halted(self) -> bool:
        """Whether an operator must resume it first. A halt comes from this process or a sister: asked once a second."""
        if self._may_go_on_until > time.monotonic():
            return False
        async with self._database.connection() as connection:
            row = await connection.fetchrow(SQL["halted"], self.name)
        halted = row is not None and row["halted_at"] is not None
        if row is not None:
            self._failed_in_a_row = row["failures"]
        metrics.HALTED.labels(self.name).set(1 if halted else 0)
        self._may_go_on_until = 0.0 if halted else time.monotonic() + ASK_EVERY
        return halted

    async def _failed(self, consumer: PollingConsumer, records: Sequence[Raw], error: str) -> None:
        self._failures += 1
        metrics.BATCH_RETRIES.labels(self.name).inc()
        if self._failures < 4 or self._failures % 50 == 0:
            log.warning("consumer.batch_failed", consumer=self.name, error=error, count=self._failures)
        pause = min(0.05 * 2 ** min(self._failures, 10), RETRY_MAX)
        await self._back(consumer, records, pause=pause * (0.5 + random.random()))  # noqa: S311  # jitter

    async def _back(self, consumer: PollingConsumer, records: Sequence[Raw], *, pause: float) -> None:
        """Seek every partition back to its first unfinished record, so that a later commit can not pass it."""
        unfinished = [record for record in records if _place(record) not in self._finished]
        for partition, offset in _first(unfinished).items():
            try:
                consumer.seek(partition, offset)
            except IllegalStateError:
                continue  # no longer ours: its next owner starts from the committed offset
        await asyncio.sleep(pause)

    async def _commit(self, consumer: PollingConsumer, records: Sequence[Raw]) -> None:
        if not records:
            return
        try:
            async with asyncio.timeout(COMMIT_WITHIN):
                await consumer.commit({partition: offset + 1 for partition, offset in _last(records).items()})
        except (CommitFailedError, IllegalStateError, KafkaError, TimeoutError) as error:
            # A hint that did not arrive: the records come again and change nothing.
            log.debug("consumer.commit_missed", consumer=self.name, error=describe(error))


class _Halt(Exception):
    """The consumer was just halted."""


def _place(record: Raw) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset


def _first(records: Sequence[Any]) -> dict[TopicPartition, int]:
    first: dict[TopicPartition, int] = {}
    for record in records:
        place = TopicPartition(record.topic, record.partition)
        first[place] = min(record.offset, first.get(place, record.offset))
    return first


def _last(records: Sequence[Any]) -> dict[TopicPartition, int]:
    last: dict[TopicPartition, int] = {}
    for record in records:
        place = TopicPartition(record.topic, record.partition)
        last[place] = max(record.offset, last.get(place, record.offset))
    return last
