"""Reads what the broker hands over so that a record or a batch that cannot be read costs none of its neighbours.

aiokafka 0.14 raises in the middle of a poll for a header's name that is not UTF-8, for a codec that it lacks and for
bytes that are not a record. What the poll had drained until then is lost to it, though the positions have moved on, and
the same record fails it again at every poll: anybody who may write to a topic could end a partition. Here such a record
is handed over as an `Unreadable` in its place, and the reading goes on behind it.
"""

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.util import decode_varint

from services.chassis.kafka.codecs import expand
from services.chassis.log import get_logger

log = get_logger(__name__)

CHECKSUM_LOOKS = 3  # at a batch whose checksum is wrong: what went wrong on the way is right when it comes again

_LENGTH: Final = struct.Struct(">qi")  # base offset, bytes that follow
_MAGIC_AT, _MAGIC = 16, 2
_ATTRIBUTES_AT, _CODEC = 22, 0x07
_COUNT_AT, _RECORDS_AT = 57, 61


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands where a record, or a batch up to its last record, cannot be read. There is nothing of it to keep."""

    topic: str
    partition: int
    offset: int
    reason: str
    key: None = None
    value: None = None
    headers: tuple[()] = ()


class Fetched:
    """What a fetch brought of one partition, batch by batch, as bytes. The last may be cut off, and is left."""

    def __init__(self, raw: bytes | None) -> None:
        """Take the broker's bytes."""
        self._raw = raw or b""
        self._at = 0

    def size_in_bytes(self) -> int:
        """Return how many bytes came."""
        return len(self._raw)

    def has_next(self) -> bool:
        """Whether there is another whole batch."""
        return self._at < self._end() <= len(self._raw)

    def next_batch(self) -> bytes:
        """Return its bytes."""
        begin, self._at = self._at, self._end()
        return self._raw[begin : self._at]

    def _end(self) -> int:
        if len(self._raw) - self._at < _LENGTH.size:
            return self._at
        return self._at + _LENGTH.size + int(_LENGTH.unpack_from(self._raw, self._at)[1])


class Records(fetcher.PartitionRecords):
    """The records of one partition from the position on, as aiokafka iterates over them; it never raises."""

    next_fetch_offset: int
    _doubts: ClassVar[Counter[tuple[TopicPartition, int]]] = Counter()

    def _unpack_records(self) -> Iterator[Any]:
        while self._records.has_next():
            raw = self._records.next_batch()
            last = _last_offset(raw)
            try:
                whole, plain = _opened(raw)
            except _WrongChecksum:
                if not self._enough_of(last):
                    return  # nothing of it was taken: it is fetched again
                yield self._unreadable(last, "unreadable_batch")
                continue
            except Exception:  # noqa: BLE001  # bytes of a stranger: whatever it is, it must not stop the others
                yield self._unreadable(last, "unreadable_batch")
                continue
            if not whole.is_control_batch:
                yield from self._records_of(whole, plain, last)
            self.next_fetch_offset = max(self.next_fetch_offset, last + 1)

    def _records_of(self, whole: Any, plain: bytes, last: int) -> Iterator[Any]:
        try:
            for record in whole:
                if record.offset < self.next_fetch_offset:
                    continue  # of a batch that was fetched again from its middle
                if record.offset > last:  # nobody else checks it, and a commit of it would pass what comes next
                    break
                one = self._consumer_record(self._tp, record)
                self.next_fetch_offset = record.offset + 1
                yield one
            else:
                return
        except Exception as error:  # noqa: BLE001  # one of them cannot be read: which, and the others, one by one
            log.debug(
                "batch.read_singly", topic=self._tp.topic, partition=self._tp.partition, kind=type(error).__name__
            )
        yield from self._singly(plain, last)

    def _singly(self, plain: bytes, last: int) -> Iterator[Any]:
        """Yield the records of a batch one by one, from the position on."""
        for offset, raw in _split(plain):
            if offset is None or offset > last:
                break
            if offset < self.next_fetch_offset:
                continue
            try:
                (record,) = DefaultRecordBatch(raw)
                one = self._consumer_record(self._tp, record)
            except Exception:  # noqa: BLE001  # this one
                one = None
            if one is None or one.offset != offset:
                yield self._unreadable(offset, "unreadable_record")
                continue
            self.next_fetch_offset = offset + 1
            yield one
        else:
            return
        if self.next_fetch_offset <= last:
            yield self._unreadable(last, "unreadable_batch")

    def _unreadable(self, offset: int, reason: str) -> Unreadable:
        self.next_fetch_offset = max(self.next_fetch_offset, offset + 1)
        return Unreadable(self._tp.topic, self._tp.partition, offset, reason)

    def _enough_of(self, last: int) -> bool:
        place = (self._tp, last)
        self._doubts[place] += 1
        if self._doubts[place] < CHECKSUM_LOOKS:
            return False
        del self._doubts[place]
        return True


class _WrongChecksum(Exception):
    """The bytes are not those that were written."""


def pin() -> None:
    """Let every consumer of this process read in this way; the library has no setting for it."""
    fetcher.MemoryRecords = Fetched
    fetcher.PartitionRecords = Records


def sound(batch: DefaultRecordBatch) -> bool:
    """Whether its bytes are those that were written."""
    return bool(batch.validate_crc())


def _last_offset(raw: bytes) -> int:
    (base,) = struct.unpack_from(">q", raw)
    if len(raw) < _RECORDS_AT or raw[_MAGIC_AT] != _MAGIC:
        return int(base)
    return int(base + struct.unpack_from(">i", raw, _ATTRIBUTES_AT + 1)[0])


def _opened(raw: bytes) -> tuple[DefaultRecordBatch, bytes]:
    """Return a batch and its bytes without their compression; raise whatever is wrong with it."""
    if len(raw) < _RECORDS_AT or raw[_MAGIC_AT] != _MAGIC:
        msg = "a batch of a format that no broker writes any more"
        raise ValueError(msg)
    batch = DefaultRecordBatch(raw)
    if not sound(batch):
        raise _WrongChecksum
    codec = raw[_ATTRIBUTES_AT] & _CODEC
    if codec == 0:
        return batch, raw
    head = bytearray(raw[:_RECORDS_AT])
    head[_ATTRIBUTES_AT] &= ~_CODEC
    plain = bytes(head) + expand(codec, raw[_RECORDS_AT:])
    return DefaultRecordBatch(plain), plain


def _split(plain: bytes) -> Iterator[tuple[int | None, bytes]]:
    """Yield offset and a batch of its own for each record; (None, b"") where what follows has no such shape."""
    head = bytearray(plain[:_RECORDS_AT])
    struct.pack_into(">i", head, _COUNT_AT, 1)
    (base,) = struct.unpack_from(">q", plain)
    buffer, at = bytearray(plain), _RECORDS_AT
    while at < len(buffer):
        try:
            length, begin = decode_varint(buffer, at)
            _, after = decode_varint(buffer, begin + 1)  # behind the attributes: when
            delta, _ = decode_varint(buffer, after)
        except (ValueError, IndexError):
            length, begin, delta = -1, at, 0
        if length < 0 or delta < 0 or begin + length > len(buffer):
            yield None, b""
            return
        yield base + delta, bytes(head + buffer[at : begin + length])
        at = begin + length
