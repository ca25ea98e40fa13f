"""A producer whose sequence the broker no longer follows is given up: a new one sends what is left, in order."""

from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber, UnknownProducerId

from services.chassis.kafka import relay as relaying_module
from services.chassis.postgres.pool import Database
from tests.integration.services.chassis.conftest import Compose
from tests.integration.services.chassis.test_relaying import Relaying, a_story, by_key

BATCH = 3_000  # bytes: a few messages, so that each partition gets several batches, one after the other
SECOND = 2  # of a partition, so that its first is acknowledged when trouble comes


class Trouble:
    """Stands before every producer's `send_batch`; at one partition's second batch it goes wrong, once."""

    def __init__(self, error: type[KafkaError] | None) -> None:
        """Raise `error`, or with None have the broker itself refuse the batch's sequence."""
        self.error = error
        self.sent: dict[tuple[int, int], int] = {}
        self.producers: list[AIOKafkaProducer] = []
        self.came = False

    def before(self, send_batch: Any) -> Any:
        """Return what is to be called in its place."""

        async def instead(producer: AIOKafkaProducer, batch: Any, topic: str, *, partition: int) -> Any:
            if producer not in self.producers:
                self.producers.append(producer)
            lane = (id(producer), partition)
            self.sent[lane] = self.sent.get(lane, 0) + 1
            if not self.came and self.sent[lane] == SECOND:
                self.came = True
                if self.error is not None:
                    raise self.error
                producer._txn_manager.increment_sequence_number(TopicPartition(topic, partition), 5)
            return await send_batch(producer, batch, topic, partition=partition)

        return instead


@pytest.mark.parametrize("error", [OutOfOrderSequenceNumber, UnknownProducerId, None])
async def test_after_a_sequence_error_a_new_producer_loses_nothing_and_keeps_the_order(
    error: type[KafkaError] | None,
    probe_database: Database,
    kafka_bootstrap: str,
    compose: Compose,
    reports_topic: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    trouble = Trouble(error)
    monkeypatch.setattr(relaying_module, "BATCH_BYTES", BATCH)
    monkeypatch.setattr(AIOKafkaProducer, "send_batch", trouble.before(AIOKafkaProducer.send_batch))
    relaying = Relaying(probe_database, kafka_bootstrap)
    story = a_story(compose, requests=8, steps=8)
    await relaying.append(story)
    async with relaying.running():
        await relaying.emptied()
    assert trouble.came
    first, _second = trouble.producers
    assert first._closed
    rebuilt = [one.habeas for one in caplog.records if one.message == "relay.producer_rebuilt"]  # type: ignore[attr-defined]
    assert rebuilt == [{"reason": (error or OutOfOrderSequenceNumber).__name__}]
    found = by_key(await relaying.published(reports_topic, len(story)))
    assert {key: list(dict.fromkeys(events)) for key, events in found.items()} == {
        key: [one.headers["ce_id"] for one in story if one.key == key] for key in found
    }
    assert len({event for events in found.values() for event in events}) == len(story)
