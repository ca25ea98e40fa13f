"""What cannot be read, or only after it was expanded, costs nobody else on its partition anything."""

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException

from services.chassis.kafka.outgoing import Outgoing
from services.chassis.kafka.subscription import Subscription
from services.chassis.postgres.pool import Database
from tests.batches import CODECS, Batch, header_name
from tests.integration.services.chassis.conftest import Compose, produce
from tests.integration.services.chassis.test_consuming import Probe, id_of, raw
from tests.waiting import until


@pytest.fixture
def probe(probe_database: Database, kafka_bootstrap: str, reports_topic: str, namespace: str) -> Probe:
    return Probe(probe_database, kafka_bootstrap, reports_topic, namespace)


async def send(producer: AIOKafkaProducer, topic: str, batch: Batch, *, partition: int = 0) -> None:
    await (await producer.send_batch(batch, topic, partition=partition))


def added(batch: Batch, message: Outgoing) -> Batch:
    key, value, headers = raw(message)
    return batch.add(key, value, headers)


def added_under_a_name_that_is_no_text(batch: Batch, message: Outgoing) -> Batch:
    key, value, headers = raw(message)
    return batch.add(key, value, [*headers, (header_name(b"\xff\xfe"), b"x")])


async def places(probe: Probe) -> list[tuple[int, int, str, bool]]:
    async with probe.database.connection() as connection:
        rows = await connection.fetch('SELECT "partition", "offset", reason, proven FROM dead_letters ORDER BY id')
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("codec", CODECS)
async def test_every_codec_is_read(codec: str, probe: Probe, producer: AIOKafkaProducer, compose: Compose) -> None:
    messages = [compose.settled() for _ in range(50)]
    batch = Batch(codec=codec)
    for one in messages:
        added(batch, one)
    await send(producer, probe.topic, batch)
    async with probe.running():
        await probe.has_seen(50)
    assert await probe.seen() == [id_of(one) for one in messages]
    assert await probe.dead() == []


@pytest.mark.parametrize("codec", ["none", "zstd"])
async def test_a_header_name_that_is_no_text_is_put_aside_and_every_neighbour_arrives(
    codec: str, probe: Probe, producer: AIOKafkaProducer, compose: Compose
) -> None:
    before, first, spoilt, last, after, elsewhere = (compose.settled() for _ in range(6))
    await produce(producer, before, partition=0)
    batch = added(Batch(codec=codec), first)
    added(added_under_a_name_that_is_no_text(batch, spoilt), last)
    await send(producer, probe.topic, batch)
    await produce(producer, after, partition=0)
    await produce(producer, elsewhere, partition=1)
    async with probe.running():
        await probe.has_seen(5)
        await until(lambda: _has_dead(probe, 1))
    assert set(await probe.seen()) == {id_of(one) for one in (before, first, last, after, elsewhere)}
    assert await places(probe) == [(0, 2, "unreadable_record", False)]


async def _has_dead(probe: Probe, count: int) -> bool:
    return len(await probe.dead()) >= count


async def test_what_is_put_aside_stays_so_after_a_restart(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose
) -> None:
    await send(producer, probe.topic, added_under_a_name_that_is_no_text(Batch(), compose.settled()))
    async with probe.running():
        await until(lambda: _has_dead(probe, 1))
    await produce(producer, compose.settled(), partition=0)
    async with probe.running():
        await probe.has_seen(1)
    assert len(await probe.dead()) == 1


async def test_a_batch_that_unfolds_without_end_is_put_aside_whole(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose
) -> None:
    before, after = compose.settled(), compose.settled()
    await produce(producer, before, partition=0)
    await send(producer, probe.topic, Batch(codec="zstd").add(b"k", bytes(40 * 1024 * 1024)).add(b"k", b"v"))
    await produce(producer, after, partition=0)
    async with probe.running():
        await probe.has_seen(2)
        await until(lambda: _has_dead(probe, 1))
    assert await probe.seen() == [id_of(before), id_of(after)]
    assert await places(probe) == [(0, 2, "unreadable_batch", False)]


async def test_a_record_that_claims_a_place_far_ahead_hides_nothing_that_comes_there(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose
) -> None:
    messages = [compose.settled() for _ in range(12)]
    key, value, headers = raw(compose.settled())
    async with probe.running():
        await send(producer, probe.topic, Batch().add(key, value, headers, ahead=10))
        await until(lambda: _has_dead(probe, 1))
    for one in messages:
        await produce(producer, one, partition=0)
    async with probe.running():
        await probe.has_seen(12)
    assert await probe.seen() == [id_of(one) for one in messages]


async def test_a_huge_record_of_a_stranger_becomes_a_dead_letter(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose
) -> None:
    after = compose.settled()
    await send(producer, probe.topic, Batch().add(b"k", b"x" * 1_040_000))
    await produce(producer, after, partition=0)
    async with probe.running():
        await probe.has_seen(1)
        await until(lambda: _has_dead(probe, 1))
    assert await probe.seen() == [id_of(after)]
    assert await places(probe) == [(0, 0, "not_a_cloudevent", False)]


async def test_a_poll_that_fails_passes_over_nothing_of_what_it_had_drained(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [compose.settled() for _ in range(40)]
    for number, one in enumerate(messages):
        await produce(producer, one, partition=number % 2)
    drained: set[int] = set()
    failed: list[int] = []

    def getall(self: fetcher.FetchResult, max_records: int | None = None) -> list[object]:
        partition = self._topic_partition.partition
        if drained - {partition} and len(failed) < 2:
            failed.append(partition)
            raise CorruptRecordException
        found: list[object] = original(self, max_records)
        if found:
            drained.add(partition)
        return found

    original = fetcher.FetchResult.getall
    monkeypatch.setattr(fetcher.FetchResult, "getall", getall)
    async with probe.running() as subscription:
        await probe.has_seen(40)
        await until(lambda: _ready(subscription))
    assert len(failed) == 2
    assert set(await probe.seen()) == {id_of(one) for one in messages}


async def _ready(subscription: Subscription) -> bool:
    return subscription.ready and subscription.alive


async def test_a_consumer_whose_polls_fail_for_long_is_called_neither_ready_nor_alive(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def getmany(*_: object, **__: object) -> dict[object, object]:
        raise UnicodeError

    async def dead() -> bool:
        return not subscription.alive and not subscription.ready

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", getmany)
    monkeypatch.setattr("services.chassis.kafka.subscription.STUCK_AFTER", 0.5)
    async with probe.running() as subscription:
        await until(dead)
        monkeypatch.undo()
        await until(lambda: _ready(subscription))
