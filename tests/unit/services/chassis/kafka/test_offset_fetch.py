"""A coordinator that is still loading must not be taken for "nothing was ever committed"."""

from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaError
from aiokafka.protocol.commit import OffsetFetchRequest, OffsetFetchResponse_v1

from services.chassis.kafka import offset_fetch

LOADING, NOT_COORDINATOR = 14, 16
PLACE = TopicPartition("habeas.reports.v1", 0)


class Coordinator(GroupCoordinator):  # type: ignore[misc]  # the library is not typed
    """A coordinator that answers what it is told, without a broker."""

    def __init__(self, answer: OffsetFetchResponse_v1) -> None:
        self.group_id = "probe"
        self.answer = answer

    async def _send_req(self, request: Any) -> OffsetFetchResponse_v1:
        return self.answer

    def coordinator_dead(self) -> None:
        """Nothing to look for."""


def answer(error: int) -> OffsetFetchResponse_v1:
    """Return what a broker answers in version 1: the error stands in the partition."""
    return OffsetFetchResponse_v1([(PLACE.topic, [(PLACE.partition, -1, "", error)])])


def test_only_version_one_is_spoken() -> None:
    offset_fetch.pin()
    request = OffsetFetchRequest("probe", [(PLACE.topic, [PLACE.partition])])
    assert request.prepare({OffsetFetchRequest.API_KEY: (1, 9)}).API_VERSION == 1


@pytest.mark.parametrize("error", [LOADING, NOT_COORDINATOR])
async def test_an_error_of_the_coordinator_is_an_error_and_not_an_offset(error: int) -> None:
    coordinator = Coordinator(answer(error))
    with pytest.raises(KafkaError) as raised:
        await coordinator._do_fetch_commit_offsets([PLACE])  # what the library calls by itself
    assert raised.value.retriable


async def test_a_committed_offset_is_read() -> None:
    coordinator = Coordinator(OffsetFetchResponse_v1([(PLACE.topic, [(PLACE.partition, 41, "", 0)])]))
    found = await coordinator._do_fetch_commit_offsets([PLACE])
    assert found[PLACE].offset == 41
