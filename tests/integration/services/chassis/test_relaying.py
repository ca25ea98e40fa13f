"""The outbox reaches a real broker whole and in order for each key, whatever happens on the way."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from contracts import ids
from contracts.topics import REPORTS
from habeas.local.kafka import KafkaServer
from services.chassis import faultpoints
from services.chassis.kafka import topics
from services.chassis.kafka.brokers import Brokers
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.kafka.relay import Relay
from services.chassis.loops import Loop, Wake
from services.chassis.postgres import outbox
from services.chassis.postgres.pool import Database
from tests.integration.services.chassis.conftest import Compose
from tests.waiting import until

WITHIN = 60.0

Records = list[ConsumerRecord[bytes, bytes]]


class Relaying:
    """A relay of the probe's outbox, run and stopped at will."""

    def __init__(self, database: Database, bootstrap: str, brokers: Brokers | None = None) -> None:
        self.database = database
        self.bootstrap = bootstrap
        self.brokers = brokers or Brokers(bootstrap)

    @asynccontextmanager
    async def running(self, holder: str = "one") -> AsyncIterator[Relay]:
        wake = Wake()
        relay = Relay(self.database, self.brokers, service="probe", holder=holder, wake=wake)
        loop = Loop("relay", relay.step, wake=wake, idle=0.05)
        task = asyncio.create_task(loop.run())
        try:
            yield relay
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await relay.close()

    async def append(self, messages: list[Outgoing]) -> None:
        async with self.database.transaction() as connection:
            await outbox.append(connection, messages)

    async def left(self) -> int:
        async with self.database.connection() as connection:
            return int(await connection.fetchval("SELECT count(*) FROM outbox WHERE dead IS NULL"))

    async def emptied(self) -> None:
        await until(self._empty, within=WITHIN)

    async def _empty(self) -> bool:
        return await self.left() == 0

    async def published(self, topic: str, count: int) -> Records:
        """Read the topic from its start until `count` records were seen."""
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            found: Records = []
            async with asyncio.timeout(WITHIN):
                while len(found) < count:
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        found += records
            return found
        finally:
            await consumer.stop()


@pytest.fixture
def relaying(probe_database: Database, kafka_bootstrap: str) -> Relaying:
    return Relaying(probe_database, kafka_bootstrap)


@pytest.fixture(autouse=True)
def _disarm() -> AsyncIterator[None]:  # type: ignore[misc]  # a plain generator fixture
    yield
    faultpoints.arm(None, environment="test")


def by_key(records: Records) -> dict[str, list[str]]:
    """Return the event ids of each key, in the order of the topic."""
    found: dict[str, list[str]] = defaultdict(list)
    for record in sorted(records, key=lambda one: (one.partition, one.offset)):
        found[(record.key or b"").decode()].append(dict(record.headers)["ce_id"].decode())
    return found


def in_order(story: list[Outgoing]) -> dict[str, list[str]]:
    """Return the event ids of each key, in the order in which they were decided."""
    found: dict[str, list[str]] = defaultdict(list)
    for message in story:
        found[message.key].append(message.headers["ce_id"])
    return found


def a_story(compose: Compose, requests: int, steps: int) -> list[Outgoing]:
    """Return messages of several requests, interleaved."""
    keys = [ids.new("req") for _ in range(requests)]
    return [compose.settled(request=key) for _ in range(steps) for key in keys]


async def test_publishes_everything_in_order_for_each_key(
    relaying: Relaying, compose: Compose, reports_topic: str
) -> None:
    story = a_story(compose, requests=40, steps=5)
    await relaying.append(story)
    async with relaying.running():
        await relaying.emptied()
    assert by_key(await relaying.published(reports_topic, len(story))) == in_order(story)


@pytest.mark.parametrize("point", ["relay.claimed", "relay.sent", "relay.acked", "relay.deleted"])
async def test_a_failure_at_any_point_loses_nothing_and_keeps_the_order(
    point: str, relaying: Relaying, compose: Compose, reports_topic: str
) -> None:
    story = a_story(compose, requests=10, steps=4)
    await relaying.append(story)
    faultpoints.arm(f"{point}:raise", environment="test")
    async with relaying.running():
        await relaying.emptied()
    wanted = {message.headers["ce_id"] for message in story}
    records = await relaying.published(reports_topic, len(story))
    for key, events in by_key(records).items():
        first_sights = list(dict.fromkeys(events))
        assert first_sights == [one.headers["ce_id"] for one in story if one.key == key]
    assert {event for events in by_key(records).values() for event in events} == wanted


async def test_two_relays_take_turns(relaying: Relaying, compose: Compose, reports_topic: str) -> None:
    story = a_story(compose, requests=10, steps=10)
    async with relaying.running("one"), relaying.running("two"):
        for at in range(0, len(story), 10):
            await relaying.append(story[at : at + 10])
        await relaying.emptied()
    records = await relaying.published(reports_topic, len(story))
    assert len(records) == len(story)


async def test_a_second_relay_takes_over_at_once_from_one_that_closed(
    relaying: Relaying, compose: Compose, reports_topic: str
) -> None:
    await relaying.append(a_story(compose, requests=1, steps=1))
    async with relaying.running("one"):
        await relaying.emptied()
    await relaying.append(a_story(compose, requests=1, steps=1))
    async with relaying.running("two"):
        await relaying.emptied()
    assert len(await relaying.published(reports_topic, 2)) == 2


async def test_an_oversize_row_is_set_aside_and_others_pass_it(
    relaying: Relaying, compose: Compose, reports_topic: str
) -> None:
    huge = Outgoing(reports_topic, ids.new("req"), {"ce_id": "huge"}, b"x" * (outbox.MAX_VALUE + 1))
    await relaying.append([huge, *a_story(compose, requests=3, steps=1)])
    async with relaying.running():
        await relaying.emptied()
    assert len(await relaying.published(reports_topic, 3)) == 3
    async with relaying.database.connection() as connection:
        assert await connection.fetchval("SELECT dead FROM outbox") == "oversize"


async def test_a_topic_that_is_missing_does_not_hold_the_others_back(
    relaying: Relaying, compose: Compose, reports_topic: str
) -> None:
    lost = Outgoing(f"{reports_topic}.missing", ids.new("req"), {"ce_id": "lost"}, b"{}")
    await relaying.append([lost, *a_story(compose, requests=3, steps=2)])
    async with relaying.running():
        assert len(await relaying.published(reports_topic, 6)) >= 6
    assert await relaying.left() >= 1


async def test_a_topic_that_is_made_late_gets_its_rows_in_order(
    relaying: Relaying, compose: Compose, kafka_bootstrap: str, namespace: str
) -> None:
    topic = REPORTS.named(namespace)
    story = a_story(compose, requests=4, steps=6)
    await relaying.append(story[:12])
    async with relaying.running() as relay:
        await until(lambda: _misses(relay, topic))
        await relaying.append(story[12:])
        await topics.ensure(Brokers(kafka_bootstrap), [topics.spec_of(REPORTS, namespace)])
        await relaying.emptied()
    assert by_key(await relaying.published(topic, len(story))) == in_order(story)


async def _misses(relay: Relay, topic: str) -> bool:
    return topic in relay._missing


@pytest.mark.parametrize("rows", [40, 1])
async def test_a_topic_that_takes_less_gets_smaller_batches(
    rows: int, relaying: Relaying, compose: Compose, kafka_bootstrap: str, namespace: str
) -> None:
    small = replace(topics.spec_of(REPORTS, namespace), partitions=1, configs={"max.message.bytes": "20000"})
    await topics.ensure(Brokers(kafka_bootstrap), [small])
    story = a_story(compose, requests=1, steps=rows)
    wide = [replace(one, value=one.value.ljust(3_000)) for one in story]
    huge = replace(wide[0], value=wide[0].value.ljust(30_000))
    await relaying.append([*wide, huge, *wide])
    async with relaying.running():
        await relaying.emptied()
    told = by_key(await relaying.published(small.name, 2 * rows))
    assert [list(dict.fromkeys(events)) for events in told.values()] == [[one.headers["ce_id"] for one in story]]
    async with relaying.database.connection() as connection:
        dead = await connection.fetch("SELECT dead, octet_length(value) AS size FROM outbox")
    assert [tuple(row) for row in dead] == [("oversize", 30_000)]


async def test_waits_for_a_broker_that_is_away_and_then_sends_everything(
    kafka_server: KafkaServer, relaying: Relaying, compose: Compose, reports_topic: str
) -> None:
    before, during = a_story(compose, requests=5, steps=2), a_story(compose, requests=5, steps=2)
    async with relaying.running():
        await relaying.append(before)
        await relaying.emptied()
        await asyncio.to_thread(kafka_server.kill)
        await relaying.append(during)
        assert await relaying.left() == len(during)
        await asyncio.to_thread(kafka_server.start)
        await relaying.emptied()
    events = {event for some in by_key(await relaying.published(reports_topic, 20)).values() for event in some}
    assert events == {one.headers["ce_id"] for one in [*before, *during]}
