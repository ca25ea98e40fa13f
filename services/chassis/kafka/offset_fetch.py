"""Pins OffsetFetch to version 1: from version 2 on, aiokafka takes a coordinator's error for "nothing committed".

aiokafka 0.13 and 0.14 read only the topics of the answer. Brokers report COORDINATOR_LOAD_IN_PROGRESS and
NOT_COORDINATOR of version 2 and later in a top-level field with no topics at all, so a consumer that asks while its
coordinator moves starts from `auto_offset_reset`. Version 1 carries the error in each partition, where it is retried.
"""

from aiokafka.protocol.commit import OffsetFetchRequest, OffsetFetchRequest_v1


def pin() -> None:
    """Let aiokafka speak version 1 alone; Kafka 4 still serves it."""
    OffsetFetchRequest._CLASSES = (OffsetFetchRequest_v1,)  # noqa: SLF001  # the library has no setting for it
