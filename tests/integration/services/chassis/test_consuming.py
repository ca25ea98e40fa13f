"""A batch is taken whole, poison is put aside, and nothing is passed over, on a real broker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from aiokafka import AIOKafkaProducer

from contracts.message import Message
from contracts.topics import REPORTS
from services.chassis.crypto.keys import FixedKeys, ProcessorKeys
from services.chassis.dead_letters import SQL, DeadLetters
from services.chassis.kafka.brokers import Brokers
from services.chassis.kafka.consumer import Poison, Taker, Verdict
from services.chassis.kafka.decoding import Decoder
from services.chassis.kafka.incoming import Incoming
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.kafka.subscription import Subscription
from services.chassis.postgres.pool import Connection, Database
from tests.integration.services.chassis.conftest import KEYS, Compose, produce
from tests.waiting import until


@dataclass
class Probe:
    """A consumer whose handler remembers what it took."""

    database: Database
    bootstrap: str
    topic: str
    namespace: str
    before: Callable[[Sequence[Incoming[Message]]], Awaitable[None]] | None = None
    halt_after: int = 20
    brokers: Brokers | None = None
    batches: list[int] = field(default_factory=list)

    async def handle(self, connection: Connection, batch: Sequence[Incoming[Message]]) -> None:
        self.batches.append(len(batch))
        if self.before is not None:
            await self.before(batch)
        await connection.execute(
            "INSERT INTO seen (event_id, key) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING",
            [one.event_id for one in batch],
            [one.key for one in batch],
        )

    @asynccontextmanager
    async def running(self, *, instance: int = 0) -> AsyncIterator[Subscription]:
        keys = FixedKeys([KEYS, ProcessorKeys.from_secret("files", 1, b"f" * 32)])
        taker = Taker(
            "probe",
            self.handle,
            decoder=Decoder({self.topic: REPORTS}, keys),
            refresh=keys.refresh,
            database=self.database,
            dead_letters=DeadLetters(b"d" * 32, days=1),
            halt_after=self.halt_after,
            after_commit=lambda: None,
        )
        subscription = Subscription(
            taker,
            brokers=self.brokers or Brokers(self.bootstrap),
            topics=[self.topic],
            group=f"{self.namespace}.probe",
            instance=instance,
            session_timeout=6.0,
        )
        task = asyncio.create_task(subscription.run())
        try:
            yield subscription
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def seen(self) -> list[str]:
        async with self.database.connection() as connection:
            return [row["event_id"] for row in await connection.fetch("SELECT event_id FROM seen ORDER BY place")]

    async def dead(self) -> list[tuple[str, bool]]:
        async with self.database.connection() as connection:
            rows = await connection.fetch(SQL["page"], None, None, 1000)
        return sorted((row["reason"], row["proven"]) for row in rows)

    async def has_seen(self, count: int) -> None:
        await until(lambda: self._has(count))

    async def _has(self, count: int) -> bool:
        return len(await self.seen()) >= count


@pytest.fixture
def probe(probe_database: Database, kafka_bootstrap: str, reports_topic: str, namespace: str) -> Probe:
    return Probe(probe_database, kafka_bootstrap, reports_topic, namespace)


def id_of(message: Outgoing) -> str:
    return message.headers["ce_id"]


async def test_takes_what_was_sent_before_and_after_it_started(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose
) -> None:
    messages = [compose.settled() for _ in range(10)]
    for one in messages[:5]:
        await produce(producer, one)
    async with probe.running():
        await probe.has_seen(5)
        for one in messages[5:]:
            await produce(producer, one)
        await probe.has_seen(10)
    assert sorted(await probe.seen()) == sorted(id_of(one) for one in messages)


async def test_a_restart_goes_on_after_the_last_batch(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose
) -> None:
    await produce(producer, compose.settled())
    async with probe.running():
        await probe.has_seen(1)
    taken = sum(probe.batches)
    await produce(producer, compose.settled())
    async with probe.running():
        await probe.has_seen(2)
    assert sum(probe.batches) == taken + 1


BAD: dict[str, Callable[[Outgoing], tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]]] = {}


def bad(
    name: str,
) -> Callable[
    [Callable[[Outgoing], tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]]],
    Callable[[Outgoing], tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]],
]:
    """Register a way to spoil a message, by the reason that the dead letter gives."""

    def register(
        spoil: Callable[[Outgoing], tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]],
    ) -> Callable[[Outgoing], tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]]:
        BAD[name] = spoil
        return spoil

    return register


def raw(message: Outgoing) -> tuple[bytes, bytes, list[tuple[str, bytes | None]]]:
    headers: list[tuple[str, bytes | None]] = [(name, value.encode()) for name, value in message.headers.items()]
    return message.key.encode(), message.value, headers


@bad("null header")
def _(message: Outgoing) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    key, value, headers = raw(message)
    return key, value, [*headers, ("extra", None)]


@bad("binary header")
def _(message: Outgoing) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    key, value, headers = raw(message)
    return key, value, [*headers, ("extra", b"\xff\xfe")]


@bad("repeated header")
def _(message: Outgoing) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    key, value, headers = raw(message)
    return key, value, [*headers, headers[0]]


@bad("no headers at all")
def _(message: Outgoing) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    key, value, _headers = raw(message)
    return key, value, []


@bad("null value")
def _(message: Outgoing) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    key, _value, headers = raw(message)
    return key, None, headers


@bad("null key")
def _(message: Outgoing) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    _key, value, headers = raw(message)
    return None, value, headers


@bad("body of another message")
def _(message: Outgoing) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    key, value, headers = raw(message)
    return key, value.replace(b'"effects":0', b'"effects":9'), headers


@bad("key of another request")
def _(message: Outgoing) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    key, value, headers = raw(message)
    return key[:-1] + b"Z", value, headers


@bad("no proof")
def _(message: Outgoing) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    key, value, headers = raw(message)
    return key, value, [(name, text) for name, text in headers if name != "habeas-proof"]


@bad("changed type")
def _(message: Outgoing) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    key, value, headers = raw(message)
    return key, value, [(name, b"dev.habeas.task.accepted.v1" if name == "ce_type" else text) for name, text in headers]


@pytest.mark.parametrize("kind", sorted(BAD))
async def test_a_bad_record_becomes_a_dead_letter_and_its_neighbours_go_through(
    kind: str, probe: Probe, producer: AIOKafkaProducer, compose: Compose
) -> None:
    before, spoilt, after = (compose.settled() for _ in range(3))
    await produce(producer, before, partition=0)
    key, value, headers = BAD[kind](spoilt)
    await producer.send_and_wait(spoilt.topic, key=key, value=value, headers=headers, partition=0)
    await produce(producer, after, partition=0)
    async with probe.running():
        await probe.has_seen(2)
        await until(lambda: _has_dead(probe, 1))
    assert await probe.seen() == [id_of(before), id_of(after)]
    assert [proven for _, proven in await probe.dead()] == [False]


async def _has_dead(probe: Probe, count: int) -> bool:
    return len(await probe.dead()) >= count


async def test_a_proof_of_another_processor_is_not_believed(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose
) -> None:
    await produce(producer, compose.settled(processor="files"))  # proven by crm-eu, about files
    async with probe.running():
        await until(lambda: _has_dead(probe, 1))
    assert await probe.dead() == [("proof_of_another_processor", False)]
    assert await probe.seen() == []


async def test_a_handlers_poison_is_put_aside_alone(probe: Probe, producer: AIOKafkaProducer, compose: Compose) -> None:
    messages = [compose.settled() for _ in range(7)]
    culprit = id_of(messages[3])

    async def before(batch: Sequence[Incoming[Message]]) -> None:
        for index, one in enumerate(batch):
            if one.event_id == culprit:
                raise Poison(Verdict(index, "unknown_task"))

    probe.before = before
    for one in messages:
        await produce(producer, one, partition=0)
    async with probe.running():
        await probe.has_seen(6)
    assert await probe.seen() == [id_of(one) for one in messages if id_of(one) != culprit]
    assert await probe.dead() == [("unknown_task", True)]


async def test_an_unforeseen_error_is_narrowed_down_to_its_record(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose
) -> None:
    messages = [compose.settled() for _ in range(9)]
    culprit = id_of(messages[5])

    async def before(batch: Sequence[Incoming[Message]]) -> None:
        if any(one.event_id == culprit for one in batch):
            raise ZeroDivisionError

    probe.before = before
    for one in messages:
        await produce(producer, one, partition=0)
    async with probe.running():
        await probe.has_seen(8)
    assert await probe.seen() == [id_of(one) for one in messages if id_of(one) != culprit]
    assert await probe.dead() == [("ZeroDivisionError", True)]


async def test_a_cancel_that_escapes_a_handler_does_not_end_the_consumer(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose
) -> None:
    cancelled: list[str] = []

    async def before(_: Sequence[Incoming[Message]]) -> None:
        if not cancelled:
            cancelled.append("once")
            other = asyncio.get_running_loop().create_future()
            other.cancel()
            await other

    probe.before = before
    message = compose.settled()
    await produce(producer, message)
    async with probe.running():
        await probe.has_seen(1)
    assert cancelled == ["once"]
    assert await probe.dead() == []


async def test_a_failure_that_passes_is_tried_again_and_nothing_is_skipped(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose
) -> None:
    failures = [ConnectionError(), ConnectionError(), TimeoutError()]

    async def before(_: Sequence[Incoming[Message]]) -> None:
        if failures:
            raise failures.pop()

    probe.before = before
    messages = [compose.settled() for _ in range(5)]
    for one in messages:
        await produce(producer, one, partition=1)
    async with probe.running():
        await probe.has_seen(5)
    assert await probe.seen() == [id_of(one) for one in messages]
    assert await probe.dead() == []


async def test_a_row_of_proven_failures_halts_until_an_operator_resumes(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose
) -> None:
    broken = [True]

    async def before(_: Sequence[Incoming[Message]]) -> None:
        if broken[0]:
            raise ZeroDivisionError

    probe.before, probe.halt_after = before, 3
    messages = [compose.settled() for _ in range(8)]
    for one in messages:
        await produce(producer, one, partition=0)
    async with probe.running():
        await until(lambda: _halted(probe))
        assert len(await probe.dead()) == 2
    broken[0] = False
    async with probe.running():  # a restart alone does not end the halt
        assert await _halted(probe)
        async with probe.database.connection() as connection:
            await connection.fetchval(SQL["resume"], "probe")
        await probe.has_seen(6)
    assert await probe.seen() == [id_of(one) for one in messages[2:]]


async def _halted(probe: Probe) -> bool:
    async with probe.database.connection() as connection:
        return await connection.fetchval("SELECT halted_at IS NOT NULL FROM consumers WHERE name = 'probe'") or False


async def test_unproven_records_never_halt_a_consumer(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose
) -> None:
    probe.halt_after = 3
    for _ in range(10):
        key, value, headers = BAD["no proof"](compose.settled())
        await producer.send_and_wait(probe.topic, key=key, value=value, headers=headers)
    await produce(producer, compose.settled())
    async with probe.running():
        await until(lambda: _has_dead(probe, 10))
        await probe.has_seen(1)


async def test_two_members_hand_partitions_over_without_doing_anything_twice(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose
) -> None:
    messages = [compose.settled() for _ in range(60)]
    handled: list[str] = []

    async def before(batch: Sequence[Incoming[Message]]) -> None:
        handled.extend(one.event_id for one in batch)
        await asyncio.sleep(0.05)  # a slow batch, so that the second member joins in its middle

    probe.before = before
    other = replace(probe, batches=[])
    async with probe.running(instance=0):
        for one in messages[:30]:
            await produce(producer, one)
        async with other.running(instance=1):
            for one in messages[30:]:
                await produce(producer, one)
            await probe.has_seen(60)
    assert sorted(await probe.seen()) == sorted(id_of(one) for one in messages)
    assert len(handled) == len(set(handled))
