"""Whoever subscribes has aiokafka's traps disarmed, without a word: its offsets and its reading are those of ours."""

from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import GroupLoadInProgressError
from aiokafka.protocol import commit
from aiokafka.record.memory_records import MemoryRecords

from services.chassis.kafka.brokers import Brokers
from services.chassis.kafka.record_batches import Unreadable
from services.chassis.kafka.subscription import Subscription
from tests.batches import Batch, header_name, stored

PLACE = TopicPartition("habeas.reports.v1", 0)
LOADING = 14
UNTOUCHED = fetcher.PartitionRecords  # modules are imported before the first test runs, and none subscribes


class Taker:
    """Takes nothing."""

    name = "probe"


class LoadingCoordinator(GroupCoordinator):  # type: ignore[misc]  # the library is not typed
    """A coordinator of Kafka 4 that is still loading: from version 2 on it says so outside of all partitions."""

    def __init__(self) -> None:
        self.group_id = "probe"

    async def _send_req(self, request: Any) -> Any:
        version = request.prepare({commit.OffsetFetchRequest.API_KEY: (1, 9)}).API_VERSION
        if version == 1:
            return commit.OffsetFetchResponse_v1([(PLACE.topic, [(PLACE.partition, -1, "", LOADING)])])
        return commit.OffsetFetchResponse_v3(0, [], LOADING)


@pytest.fixture(autouse=True)
def _untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make aiokafka what it is in a new process, whatever ran in this one before."""
    every = (commit.OffsetFetchRequest_v1, commit.OffsetFetchRequest_v2, commit.OffsetFetchRequest_v3)
    monkeypatch.setattr(commit.OffsetFetchRequest, "_CLASSES", every)
    monkeypatch.setattr(fetcher, "MemoryRecords", MemoryRecords)
    monkeypatch.setattr(fetcher, "PartitionRecords", UNTOUCHED)


def subscribe() -> None:
    Subscription(
        Taker(),  # type: ignore[arg-type]
        brokers=Brokers("127.0.0.1:9"),
        topics=[PLACE.topic],
        group="probe",
        instance=0,
        session_timeout=6.0,
    )._build("cluster")


async def committed() -> dict[TopicPartition, Any]:
    """Return what a consumer takes for committed, as it asks when partitions are assigned to it."""
    found: dict[TopicPartition, Any] = await LoadingCoordinator()._do_fetch_commit_offsets([PLACE])
    return found


def read() -> list[Any]:
    """Return what a consumer makes of a fetch, in whose middle is a header's name that is no text."""
    batch = Batch().add(b"a", b"v").add(b"b", b"v", [(header_name(b"\xff"), b"x")]).add(b"c", b"v")
    fetched = fetcher.MemoryRecords(stored(batch))
    records = fetcher.PartitionRecords(PLACE, fetched, [], 0, None, None, True, 0)
    return [one.reason if isinstance(one, Unreadable) else one.key for one in records]


async def test_a_coordinator_that_is_loading_is_asked_again() -> None:
    subscribe()
    with pytest.raises(GroupLoadInProgressError) as raised:
        await committed()
    assert raised.value.retriable


async def test_a_record_that_cannot_be_read_costs_its_neighbours_nothing() -> None:
    subscribe()
    assert read() == [b"a", "unreadable_record", b"c"]


async def test_the_library_still_has_these_traps() -> None:
    """Fails when it has not: then what disarms them can go."""
    assert await committed() == {}, "nothing committed, so that it would start from auto_offset_reset"
    with pytest.raises(UnicodeDecodeError):
        read()
