"""Batches of records byte by byte, as a producer may write them that keeps to no custom."""

import struct
from collections.abc import Sequence

from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

Headers = Sequence[tuple[str, bytes | None]]
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
_LAST_OFFSET_DELTA, _PAYLOAD = 23, 61  # places in a batch


class HeaderName(str):
    """A header's name that is any bytes on the wire."""

    __slots__ = ("raw",)
    raw: bytes

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Return the bytes."""
        return self.raw


def header_name(raw: bytes) -> HeaderName:
    """Return a name that is `raw` on the wire."""
    name = HeaderName(raw.hex())
    name.raw = raw
    return name


class Batch(BatchBuilder):  # type: ignore[misc]  # the library is not typed
    """One batch for `producer.send_batch`, of records that no other client would let pass."""

    def __init__(self, *, codec: str = "none") -> None:
        """Make an empty one."""
        super().__init__(1 << 28, 0)
        self._builder = _DefaultRecordBatchBuilderPy(2, CODECS[codec], 0, -1, -1, -1, 1 << 28)
        self._jump = 0

    def add(self, key: bytes | None, value: bytes | None, headers: Headers = (), *, ahead: int = 0) -> "Batch":
        """Append a record, which claims an offset `ahead` of its own; the batch itself claims the right ones."""
        self._builder.append(self._relative_offset + ahead, None, key, value, list(headers))
        self._builder._last_offset = self._relative_offset  # what the builder would not write
        self._relative_offset += 1
        return self


def stored(batch: Batch, *, base: int = 0) -> bytes:
    """Return the bytes of a batch as the broker hands them over, its first record at offset `base`."""
    raw = bytearray(batch._build())
    struct.pack_into(">q", raw, 0, base)  # not covered by the checksum
    return bytes(raw)
