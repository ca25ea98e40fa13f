"""While the broker is away the service lives, says that it is not ready, and loses nothing."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from habeas.local.kafka import KafkaServer
from services.chassis.kafka.brokers import Brokers
from services.chassis.kafka.cluster import ClusterWatch
from services.chassis.kafka.subscription import Subscription
from services.chassis.postgres.pool import Database
from tests.integration.services.chassis.conftest import Compose, produce
from tests.integration.services.chassis.test_consuming import Probe, id_of
from tests.waiting import until


@pytest.fixture
def probe(probe_database: Database, kafka_bootstrap: str, reports_topic: str, namespace: str) -> Probe:
    return Probe(probe_database, kafka_bootstrap, reports_topic, namespace)


async def nothing() -> None:
    """Do nothing about another cluster: there is none."""


async def looked(watch: ClusterWatch) -> bool:
    """Look; return whether a broker answered."""
    await watch.step()
    return watch.reachable


async def ready(subscription: Subscription) -> bool:
    return subscription.ready


async def test_a_consumer_outlives_a_broker_that_goes_and_comes_back(
    kafka_server: KafkaServer, probe: Probe, compose: Compose, kafka_bootstrap: str
) -> None:
    before, after = compose.settled(), compose.settled()
    watch = ClusterWatch(probe.database, Brokers(kafka_bootstrap), nothing)
    async with probe.running() as subscription:
        async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
            await produce(producer, before)
        await probe.has_seen(1)
        assert await looked(watch)

        await asyncio.to_thread(kafka_server.kill)
        assert not await looked(watch)
        assert subscription.alive

        await asyncio.to_thread(kafka_server.start)
        await until(lambda: looked(watch))
        async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
            await produce(producer, after)
        await probe.has_seen(2)
    assert await probe.seen() == [id_of(before), id_of(after)]


async def test_a_consumer_that_starts_before_the_broker_waits_for_it(
    kafka_server: KafkaServer, probe: Probe, compose: Compose, kafka_bootstrap: str, caplog: pytest.LogCaptureFixture
) -> None:
    message = compose.settled()
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
        await produce(producer, message)
    await asyncio.to_thread(kafka_server.kill)

    async def waited() -> bool:
        return any(one.message == "consumer.waited" for one in caplog.records)

    async with probe.running() as subscription:
        await until(waited)
        assert (subscription.alive, subscription.ready) == (True, False)
        await asyncio.to_thread(kafka_server.start)
        await probe.has_seen(1)
        await until(lambda: ready(subscription))
    assert await probe.seen() == [id_of(message)]
