"""Takes batches from Kafka: a transaction for each, offsets as a hint, poison put aside, a halt when all is poison."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from opentelemetry.trace import SpanKind

from contracts.message import Message
from contracts.proof import processor_of
from services.chassis import metrics, tracing
from services.chassis.dead_letters import DeadLetters
from services.chassis.faultpoints import faultpoint
from services.chassis.kafka.decoding import Believed, Decoded, Decoder, Raw, Refused, Skipped
from services.chassis.kafka.halting import Row
from services.chassis.kafka.incoming import Incoming
from services.chassis.log import describe, get_logger
from services.chassis.loops import obey_cancel
from services.chassis.postgres.pool import TRANSIENT, Connection, Database

log = get_logger(__name__)

COMMIT_WITHIN = 5.0
RETRY_MAX = 5.0
ASK_EVERY = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which record of a batch cannot be taken, and why, in a machine word.

    One that does not count to a halt speaks of what our own rows lack, as after a restore: every sender's would.
    """

    index: int
    reason: str
    counts: bool = True


class Poison(Exception):
    """A handler says that records of its batch cannot be taken: they become dead letters, their neighbours go on."""

    def __init__(self, *verdicts: Verdict) -> None:
        """Take a verdict on each of them."""
        super().__init__(*(one.reason for one in verdicts))
        self.verdicts = verdicts


class BatchHandler(Protocol):
    """Handles a batch in the caller's transaction; right under duplicates and any order."""

    async def __call__(self, connection: Connection, batch: Sequence[Incoming[Message]]) -> None:
        """Do all of it, by sets; raise `Poison` for records that cannot be taken."""


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
        senders: Callable[[], Collection[str]] | None = None,
    ) -> None:
        """Take for consumer `name`; `after_commit` rings the bells of the loops that go on with the work.

        `ended` is told of each transaction, before anything else happens. `refresh` is called when a kid is unknown;
        with `refresh_first` before each batch, where keys that were valid a moment ago may be revoked by somebody else.
        `senders` returns the processors that may write what it reads, where that may be several.
        """
        self.name = name
        self._handler = handler
        self._decoder = decoder
        self._refresh = refresh
        self._refresh_first = refresh_first
        self._database = database
        self._dead_letters = dead_letters
        self._after_commit = after_commit
        self._ended = ended
        self._failures = 0
        self._row = Row(name, halt_after, senders)
        self._may_go_on_until = 0.0
        self.commits_refused = 0  # in a row: the group has given our partitions to somebody else
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
        part = list(decoded)
        while part:
            if (end := self._row.too_long_at(part)) is not None:
                await self._handle(part[:end])
                await self._halt(part[end])
            try:
                await self._transact(part)
            except TRANSIENT:
                raise
            except Poison as error:
                believed = [index for index, one in enumerate(part) if isinstance(one, Believed)]
                for verdict in error.verdicts:
                    _set_aside(part, believed[verdict.index], verdict.reason, counts=verdict.counts)
            except Exception as error:  # unknown: bisect, then put the single record aside
                if not any(isinstance(one, Believed) for one in part):
                    raise
                if len(part) == 1:
                    _set_aside(part, 0, describe(error)[:64], counts=True)
                    continue
                metrics.BATCH_RETRIES.labels(self.name).inc()
                middle = len(part) // 2
                await self._handle(part[:middle])
                await self._handle(part[middle:])
                return
            else:
                return

    async def _transact(self, decoded: Sequence[Decoded]) -> None:
        believed = [one.incoming for one in decoded if isinstance(one, Believed)]
        refused = [one for one in decoded if isinstance(one, Refused)]
        committed = False
        try:
            async with self._database.transaction() as connection:
                if believed:
                    await self._handler(connection, believed)
                await self._dead_letters.add(connection, self.name, refused)
                await self._row.write(connection, decoded)
                faultpoint("consumer.before_commit")
            committed = True
        finally:
            if self._ended is not None:
                self._ended(committed=committed)
        self._finished.update(_place(one.record) for one in decoded)

    async def _halt(self, culprit: Decoded) -> None:
        """Stop taking anything until an operator resumes: a bad deploy must not turn a topic into dead letters."""
        reason = culprit.reason if isinstance(culprit, Refused) else ""
        async with self._database.connection() as connection:
            await self._row.halt(connection, reason)
        self._may_go_on_until = 0.0
        metrics.HALTED.labels(self.name).set(1)
        log.error("consumer.halted", consumer=self.name, reason=reason, count=self._row.counted() + 1)
        raise _Halt

    async def _halted(self) -> bool:
        """Whether an operator must resume it first. A halt comes from this process or a sister: asked once a second."""
        if self._may_go_on_until > time.monotonic():
            return False
        async with self._database.connection() as connection:
            halted = await self._row.read(connection)
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
            self.commits_refused = 0
        except (CommitFailedError, IllegalStateError, KafkaError, TimeoutError) as error:
            self.commits_refused += isinstance(error, CommitFailedError)
            # A hint that did not arrive: the records come again and change nothing.
            log.debug("consumer.commit_missed", consumer=self.name, error=describe(error))


class _Halt(Exception):
    """The consumer was just halted."""


def _set_aside(part: list[Decoded], index: int, reason: str, *, counts: bool) -> None:
    """Put the verdict on a record in its place: it becomes a dead letter, and the others are handled."""
    culprit = part[index]
    assert isinstance(culprit, Believed)  # noqa: S101  # the only ones that a handler sees
    incoming = culprit.incoming
    sender = processor_of(incoming.kid) if counts else None
    part[index] = Refused(culprit.record, reason, proven=True, event_id=incoming.event_id, sender=sender)


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
