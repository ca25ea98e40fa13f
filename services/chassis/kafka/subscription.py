"""One consumer group member on FastStream: waits for broker and topics, polls batches, hands them to a `Taker`."""

import asyncio
import logging
import time
from collections.abc import Sequence
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import ConsumerStoppedError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from services.chassis.kafka import offset_fetch, record_batches, topics
from services.chassis.kafka.brokers import Brokers
from services.chassis.kafka.consumer import Taker
from services.chassis.log import describe, get_logger
from services.chassis.loops import obey_cancel

log = get_logger(__name__)

POLL_MS = 250  # how long an empty poll waits; records end it at once
MAX_RECORDS = 500
STUCK_AFTER = 120.0
LOOK_EVERY = 1.0


class Subscription:
    """A part of a service. `run` never ends by itself: whatever fails is logged, torn down and started again."""

    def __init__(
        self,
        taker: Taker,
        *,
        brokers: Brokers,
        topics: Sequence[str],
        group: str,
        instance: int,
        session_timeout: float,
        max_records: int = MAX_RECORDS,
    ) -> None:
        """Read `topics` as static member `<group>-<instance>` of `group`."""
        self.name = taker.name
        self._taker = taker
        self._brokers = brokers
        self._topics = list(topics)
        self._group = group
        self._instance = instance
        self._session_ms = int(session_timeout * 1000)
        self._max_records = max_records
        self._restart = asyncio.Event()
        self._busy_since: float | None = None
        self._failing_since: float | None = None
        self._polls_failed = 0
        self._polling = False

    @property
    def alive(self) -> bool:
        """Whether no batch is stuck and polls do not fail, for long. That a broker is away is not held against it."""
        oldest = time.monotonic() - STUCK_AFTER
        return all(since is None or since > oldest for since in (self._busy_since, self._failing_since))

    @property
    def ready(self) -> bool:
        """Whether it is polling."""
        return self._polling and self._failing_since is None

    def restart(self) -> None:
        """Tear the consumer down and start afresh, as after a change of cluster."""
        self._restart.set()

    async def run(self) -> None:
        """Consume until cancelled."""
        failures = 0
        while True:
            self._restart.clear()
            broker: KafkaBroker | None = None
            try:
                cluster = await self._wait_for_topics()
                obey_cancel()
                broker = self._build(cluster)
                await broker.start()
                obey_cancel()
                failures = 0
                await self._watch(broker)
            except (KafkaError, OSError, TimeoutError, _Ended) as error:
                failures += 1
                if failures == 1 or failures % 30 == 0:
                    log.warning("consumer.waited", consumer=self.name, error=describe(error), count=failures)
            finally:
                self._polling = False
                if broker is not None:
                    await _stop(broker)
            obey_cancel()
            await asyncio.sleep(min(0.1 * 2 ** min(max(failures, self._polls_failed), 5), 2.0))

    async def _wait_for_topics(self) -> str:
        """Return the id of the cluster once it has the topics."""
        async with asyncio.timeout(15):
            missing = await topics.absent(self._brokers, self._topics)
            cluster = await topics.cluster_id(self._brokers)
        if missing:
            msg = "topics are not provisioned yet"
            raise _Ended(msg)
        return cluster

    async def _watch(self, broker: KafkaBroker) -> None:
        """Return when a restart is asked for; raise when the polling ended by itself."""
        (subscriber,) = broker.subscribers
        self._polling = True
        while not self._restart.is_set():
            tasks = getattr(subscriber, "tasks", [])
            if not tasks or any(task.done() for task in tasks):
                msg = "the polling ended"
                raise _Ended(msg)
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._restart.wait()
            except TimeoutError:
                continue

    def _build(self, cluster: str) -> KafkaBroker:
        """Return a consumer for this cluster alone, which its group is named after.

        A consumer that outlives a wiped cluster goes on from its old position in the new one, and commits it there:
        under one name for both, whoever comes next would start behind records that nobody has taken.
        """
        offset_fetch.pin()
        record_batches.pin()
        group = f"{self._group}@{cluster}"
        broker = KafkaBroker(
            self._brokers.bootstrap,
            security=self._brokers.security,
            client_id=f"habeas-{self.name}",
            apply_types=False,
            allow_auto_create_topics=False,
            graceful_timeout=10.0,
            metadata_max_age_ms=10_000,
            logger=logging.getLogger("services.chassis.kafka.faststream"),
            log_level=logging.DEBUG,
        )
        barrier = asyncio.Lock()
        subscriber = broker.subscriber(
            *self._topics,
            group_id=group,
            group_instance_id=f"{group}-{self._instance}",
            batch=True,
            max_records=self._max_records,
            batch_timeout_ms=POLL_MS,
            parser=_as_it_came,
            decoder=_raw,
            no_reply=True,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            listener=RevokeBarrier(barrier),
            session_timeout_ms=self._session_ms,
            heartbeat_interval_ms=max(self._session_ms // 4, 500),
            rebalance_timeout_ms=60_000,
        )

        # FastStream sleeps after an empty poll, for as long as the poll took: what comes meanwhile would wait.
        subscriber.get_msg = self._poll  # type: ignore[method-assign]

        @subscriber
        async def handle(records: Any) -> None:
            async with barrier:
                self._busy_since = time.monotonic()
                try:
                    await self._taker.take(subscriber.consumer, records)  # type: ignore[arg-type]
                finally:
                    self._busy_since = None

        return broker

    async def _poll(self, consumer: AIOKafkaConsumer) -> tuple[Any, ...]:
        if self._restart.is_set():
            await asyncio.sleep(LOOK_EVERY)  # about to be torn down: its positions are not to be gone on from
            return ()
        try:
            polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=self._max_records)
        except ConsumerStoppedError:
            raise
        except Exception as error:  # noqa: BLE001  # what it had drained is lost to it, though its positions moved on
            self._poll_failed(error)
            return ()
        self._failing_since, self._polls_failed = None, 0
        if not polled:
            await asyncio.sleep(0)  # a poll that ended early must not keep others from their turn
        return tuple(chain.from_iterable(polled.values()))

    def _poll_failed(self, error: Exception) -> None:
        """Start afresh, from what was committed: otherwise the next commit would pass what nobody has taken."""
        self._failing_since = self._failing_since or time.monotonic()
        self._polls_failed += 1
        if self._polls_failed == 1 or self._polls_failed % 30 == 0:
            log.error("consumer.poll_failed", consumer=self.name, error=describe(error), count=self._polls_failed)
        self._restart.set()


class RevokeBarrier(ConsumerRebalanceListener):
    """Holds a rebalance until the batch at hand is committed, so that its next owner does not start beside it."""

    def __init__(self, lock: asyncio.Lock) -> None:
        """Take the lock that is held during a batch."""
        self._lock = lock

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Wait for the batch at hand."""
        async with self._lock:
            log.debug("consumer.revoked", partitions=len(revoked))

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Note it."""
        log.debug("consumer.assigned", partitions=len(assigned))


class _Ended(Exception):
    """The consumer has to be started anew."""


async def _as_it_came(message: Any) -> KafkaMessage:
    """Wrap a batch without reading any of it: FastStream's own parser loses records with null or binary headers."""
    return KafkaMessage(body=b"", headers={}, raw_message=message, consumer=None)  # type: ignore[arg-type]


async def _raw(message: Any) -> Any:
    return message.raw_message


async def _stop(broker: KafkaBroker) -> None:
    try:
        async with asyncio.timeout(15):
            await broker.stop()
    except (KafkaError, TimeoutError, OSError) as error:
        log.debug("consumer.stop_failed", error=describe(error))
