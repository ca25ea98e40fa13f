"""The broker of a running stack as somebody sees it who may write anything: records in, records out, byte by byte."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.crypto.proof import prove
from services.chassis.kafka import record_batches
from services.chassis.kafka.outgoing import Outgoing
from tests.batches import Batch
from tests.infrastructure import in_thread

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True)
class Record:
    """A record as it lies on the broker."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    partition: int = 0
    offset: int = 0
    codec: str = "none"

    @classmethod
    def of(cls, message: Outgoing) -> "Record":
        """Return a message as its sender puts it on the wire."""
        headers = tuple((name, value.encode()) for name, value in message.headers.items())
        return cls(message.topic, message.key.encode(), message.value, headers)

    @property
    def event_id(self) -> str:
        """The id that it claims, if it can be read."""
        return self.header("ce_id").decode("ascii", "replace")

    def header(self, name: str) -> bytes:
        """Return a header's value, empty where there is none."""
        return dict(self.headers).get(name) or b""

    def with_header(self, name: str, value: bytes | None) -> "Record":
        """Return it with another value of a header, or without the header."""
        others = tuple(one for one in self.headers if one[0] != name)
        return replace(self, headers=others if value is None else (*others, (name, value)))

    def proven(self, keys: ProcessorKeys) -> "Record":
        """Return it with a proof by `keys`, as who has them can make it."""
        headers = {name: (value or b"").decode() for name, value in self.headers}
        proof = prove(keys, topic=self.topic, key=self.key or b"", headers=headers, body=self.value or b"")
        return self.with_header("habeas-proof", proof.encode())


class Broker:
    """Writes and reads."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    def write(self, records: Sequence[Record]) -> None:
        """Append records, in order, each in a batch of its own, all to the first partition of their topic."""

        async def work() -> None:
            producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap)
            await producer.start()
            try:
                for one in records:
                    batch = Batch(codec=one.codec).add(one.key, one.value, one.headers)
                    await (await producer.send_batch(batch, one.topic, partition=0))
            finally:
                await producer.stop()

        in_thread(work)

    def read(self, topic: str, partitions: int) -> list[Record]:
        """Return what is on a topic and can be read."""
        record_batches.pin()

        async def work() -> list[Record]:
            consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
            await consumer.start()
            try:
                places = [TopicPartition(topic, one) for one in range(partitions)]
                consumer.assign(places)
                await consumer.seek_to_beginning(*places)
                ends = await consumer.end_offsets(places)
                found: list[Record] = []
                for place in places:
                    while await consumer.position(place) < ends[place]:
                        for one in (await consumer.getmany(place, timeout_ms=200)).get(place, []):
                            if isinstance(one, record_batches.Unreadable):
                                continue
                            headers = tuple(one.headers)
                            found.append(Record(topic, one.key, one.value, headers, one.partition, one.offset))
                return found
            finally:
                await consumer.stop()

        return in_thread(work)
