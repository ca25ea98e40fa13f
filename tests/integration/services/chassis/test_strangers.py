"""What a stranger writes into a record is neither believed nor kept in the clear, and stops nobody."""

from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.chassis.kafka import topics
from services.chassis.kafka.brokers import Brokers
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.postgres.pool import Database
from tests.integration.services.chassis.conftest import Compose, produce
from tests.integration.services.chassis.test_consuming import Probe, id_of


@pytest.fixture
def probe(probe_database: Database, kafka_bootstrap: str, reports_topic: str, namespace: str) -> Probe:
    return Probe(probe_database, kafka_bootstrap, reports_topic, namespace)


def changed(message: Outgoing, **headers: str) -> Outgoing:
    return replace(message, headers={**message.headers, **headers})


async def events(probe: Probe) -> list[str | None]:
    async with probe.database.connection() as connection:
        return [row["event_id"] for row in await connection.fetch("SELECT event_id FROM dead_letters ORDER BY id")]


@pytest.mark.parametrize("written", ["jane@example.com", "evt\x00", "evt_01J" + "x" * 500, "x"])
async def test_an_event_id_that_is_not_ours_is_not_kept(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose, written: str
) -> None:
    good = compose.settled()
    spoilt = changed(compose.settled(), ce_id=written)
    await produce(producer, spoilt, partition=0)
    await produce(producer, good, partition=0)
    async with probe.running():
        await probe.has_seen(1)
    assert await probe.seen() == [id_of(good)]
    assert await probe.dead() == [("forged_proof", False)]
    assert await events(probe) == [None]


async def test_an_event_id_of_ours_is_kept(probe: Probe, producer: AIOKafkaProducer, compose: Compose) -> None:
    good = compose.settled()
    spoilt = changed(compose.settled(), ce_time="changed")
    await produce(producer, spoilt, partition=0)
    await produce(producer, good, partition=0)
    async with probe.running():
        await probe.has_seen(1)
    assert await events(probe) == [id_of(spoilt)]


@pytest.mark.parametrize("written", ["1", "00-zz-zz-01", "0" * 55 + "1"])
async def test_a_trace_context_that_is_none_costs_its_record_nothing(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose, written: str
) -> None:
    carrying, after = changed(compose.settled(), traceparent=written), compose.settled()
    await produce(producer, carrying, partition=0)
    async with probe.running():
        await probe.has_seen(1)
    await produce(producer, after, partition=0)
    async with probe.running():
        await probe.has_seen(2)
    assert await probe.seen() == [id_of(carrying), id_of(after)]
    assert probe.batches == [1, 1]


async def test_nobody_is_answered_where_a_stranger_wants_to_be(
    probe: Probe, producer: AIOKafkaProducer, compose: Compose, kafka_bootstrap: str, namespace: str
) -> None:
    elsewhere = topics.TopicSpec(f"{namespace}.elsewhere", 1)
    await topics.ensure(Brokers(kafka_bootstrap), [elsewhere])
    asking = changed(compose.settled(), reply_to=elsewhere.name)
    await produce(producer, asking, partition=0)
    async with probe.running():
        await probe.has_seen(1)
    place = TopicPartition(elsewhere.name, 0)
    async with AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap) as consumer:
        assert await consumer.end_offsets([place]) == {place: 0}
