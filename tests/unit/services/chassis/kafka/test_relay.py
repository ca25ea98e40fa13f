"""Rows that cannot be sent yet cost the others neither calls nor places, and nothing of a key overtakes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.errors import UnknownTopicOrPartitionError

from services.chassis.kafka import relay as relaying
from services.chassis.kafka.brokers import Brokers
from services.chassis.kafka.relay import Relay
from services.chassis.loops import Wake


class Broker:
    """A producer that knows some topics and counts what it is asked."""

    def __init__(self, *topics: str) -> None:
        self.topics = set(topics)
        self.asked: list[str] = []
        self.outbox: Outbox | None = None

    async def partitions_for(self, topic: str) -> set[int]:
        self.asked.append(topic)
        assert self.outbox is None or self.outbox.lent == 0
        if topic not in self.topics:
            raise UnknownTopicOrPartitionError
        return {0}


class Outbox:
    """A database with nothing but rows to send."""

    def __init__(self, *topics: str) -> None:
        self.rows: list[dict[str, Any]] = [
            {"id": number, "topic": topic, "key": "k", "headers": "{}", "value": b"x"}
            for number, topic in enumerate(topics, start=1)
        ]
        self.lent = 0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Outbox"]:
        self.lent += 1
        yield self
        self.lent -= 1

    async def fetch(self, _: str, after: int, window: int, out: Sequence[str]) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["id"] > after and row["topic"] not in out][:window]


def a_relay(outbox: Outbox, broker: Broker) -> Relay:
    broker.outbox = outbox
    one = Relay(outbox, Brokers("nowhere"), service="probe", holder="one", wake=Wake())  # type: ignore[arg-type]
    one._producer = broker
    return one


async def lanes(relay: Relay) -> dict[str, list[int]]:
    return {topic: [row["id"] for row in rows] for (topic, _), rows in (await relay._lanes()).items()}


async def test_a_missing_topic_is_asked_after_once_however_many_rows_it_has() -> None:
    broker = Broker("there")
    relay = a_relay(Outbox(*["missing"] * 200, "there"), broker)
    assert await lanes(relay) == {"there": [201]}
    assert sorted(broker.asked) == ["missing", "there"]
    assert await lanes(relay) == {"there": [201]}
    assert sorted(broker.asked) == ["missing", "there"]


async def test_rows_of_a_missing_topic_fill_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "WINDOW", 10)
    broker = Broker("there")
    relay = a_relay(Outbox(*["missing"] * 10_000, "there"), broker)
    assert await lanes(relay) == {"there": [10_001]}
    assert sorted(broker.asked) == ["missing", "there"]


async def test_nothing_of_a_topic_that_was_missing_overtakes_what_was_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "LOOK_BACK", 3600)
    broker, outbox = Broker("there"), Outbox("missing", "missing", "there")
    relay = a_relay(outbox, broker)
    for _ in range(2):
        assert await lanes(relay) == {"there": [3]}
    broker.topics.add("missing")
    relay._missing["missing"] = 0.0  # its time is over
    outbox.rows.append({**outbox.rows[0], "id": 4})
    assert await lanes(relay) == {}
    await asyncio.gather(*relay._asking.values())
    assert await lanes(relay) == {"missing": [1, 2, 4], "there": [3]}
