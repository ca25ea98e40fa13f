"""Writes exported data as the blocks of `contracts.exports`, sealed in frames, and reads it again by a stream."""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.exports import (
    DATA,
    END,
    FILE,
    FILE_END,
    HEAD_LENGTH,
    MOST_BLOCK,
    MOST_DATA,
    RECORD,
    ExportReceipt,
    head,
)
from services.chassis.crypto.frames import BrokenFrames, FrameReader, FrameWriter

PIECE = 1 << 18  # bytes that are encrypted or opened before others get their turn: some tenths of a millisecond

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class BrokenExport(ValueError):
    """An export is cut off, changed, made with another key, or not what its receipt says: believe nothing of it."""


class BlockTooLarge(ValueError):
    """A record, or what is said of a file, takes more than `MOST_BLOCK` bytes as JSON."""


@dataclass(frozen=True, slots=True)
class ExportedRecord:
    """A record as the processor gave it; `fields` are JSON values."""

    category: str
    fields: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file; read `chunks` before asking for what comes after it: what is left unread then is skipped."""

    category: str
    media_type: str
    chunks: AsyncIterator[bytes] = field(repr=False)


class ExportWriter:
    """Makes the bytes of one object. Each method yields what is to be written, and counts once all of that was taken.

    Holds one frame beside what it is given; what it yields is small, and may be empty. Raises `BlockTooLarge`, and
    `TypeError` or `ValueError` for fields that are not JSON values.
    """

    def __init__(self, key: bytes, *, salt: bytes | None = None) -> None:
        """Take the task's export key of 32 bytes; `salt` is fresh unless a test vector fixes it."""
        self._frames = FrameWriter(key, salt=salt)
        self._digest = hashlib.sha256()
        self._size = 0
        self._records = 0
        self._files = 0
        self._file_bytes = 0

    def record(self, category: str, fields: Mapping[str, object]) -> Iterator[bytes]:
        """Append a record."""
        yield from self._block(RECORD, _payload({"category": category, "fields": dict(fields)}))
        self._records += 1

    def file(self, category: str, media_type: str) -> Iterator[bytes]:
        """Begin a file."""
        yield from self._block(FILE, _payload({"category": category, "media_type": media_type}))
        self._file_bytes = 0

    def data(self, chunk: bytes) -> Iterator[bytes]:
        """Append bytes of any number to the file."""
        view = memoryview(chunk)
        for at in range(0, len(view), MOST_DATA):
            yield from self._block(DATA, view[at : at + MOST_DATA])
        self._file_bytes += len(view)

    def file_end(self) -> Iterator[bytes]:
        """End the file."""
        yield from self._block(FILE_END, _payload({"bytes": self._file_bytes}))
        self._files += 1

    def end(self) -> Iterator[bytes]:
        """End the export; nothing may follow."""
        yield from self._block(END, _payload({"records": self._records, "files": self._files}))
        yield self._counted(self._frames.finish())

    def receipt(self, attempt: int) -> ExportReceipt:
        """Return what was written so far; meant for after `end`."""
        return ExportReceipt(
            attempt=attempt,
            size=self._size,
            sha256=self._digest.hexdigest(),
            records=self._records,
            files=self._files,
        )

    def _block(self, kind: bytes, payload: bytes | memoryview) -> Iterator[bytes]:
        yield self._counted(self._frames.update(head(kind, len(payload))))
        view = memoryview(payload)
        for at in range(0, len(view), PIECE):
            yield self._counted(self._frames.update(view[at : at + PIECE]))

    def _counted(self, sealed: bytes) -> bytes:
        self._digest.update(sealed)
        self._size += len(sealed)
        return sealed


class ExportReader:
    """Opens one object: `async for` gives its records and files in the order they were written.

    All of it counts only after the iteration ended without a `BrokenExport`: what was cut off, or does not fit
    `receipt`, is noticed there. Whoever hands things on before must be able to take them back. Holds one block.
    """

    def __init__(self, sealed: AsyncIterable[bytes], key: bytes, *, receipt: ExportReceipt | None = None) -> None:
        """Read the stored bytes `sealed`, chunks of any size, with the task's export key of 32 bytes."""
        self._sealed = sealed
        self._key = key
        self._receipt = receipt
        self._digest = hashlib.sha256()
        self._size = 0
        self._records = 0
        self._files = 0
        self._in_file = False
        self._file_bytes = 0
        self._ended = False

    async def __aiter__(self) -> AsyncGenerator[ExportedRecord | ExportedFile, None]:
        """Yield everything."""
        blocks = self._blocks()
        async for kind, payload in blocks:
            if self._ended:
                raise BrokenExport
            if kind == RECORD:
                self._records += 1
                yield _record(payload)
            elif kind == FILE:
                self._in_file, self._file_bytes = True, 0
                yield self._file(payload, blocks)
                async for _ in self._chunks(blocks):
                    pass  # whoever asked for the next thing did not want the rest of this one
            elif kind == END:
                self._end(payload)
            else:
                raise BrokenExport
        if not self._ended:
            raise BrokenExport
        self._compare()

    def _file(self, payload: bytes, blocks: AsyncGenerator[tuple[bytes, bytes], None]) -> ExportedFile:
        told = _json(payload)
        category, media_type = told.get("category"), told.get("media_type")
        if not isinstance(category, str) or not isinstance(media_type, str):
            raise BrokenExport
        return ExportedFile(category, media_type, self._chunks(blocks))

    async def _chunks(self, blocks: AsyncGenerator[tuple[bytes, bytes], None]) -> AsyncIterator[bytes]:
        while self._in_file:
            kind, payload = await anext(blocks, (b"", b""))
            if kind == DATA:
                self._file_bytes += len(payload)
                yield payload
            elif kind == FILE_END and _json(payload).get("bytes") == self._file_bytes:
                self._in_file = False
                self._files += 1
            else:
                raise BrokenExport

    def _end(self, payload: bytes) -> None:
        told = _json(payload)
        if (told.get("records"), told.get("files")) != (self._records, self._files):
            raise BrokenExport
        self._ended = True

    def _compare(self) -> None:
        told = self._receipt
        if told is None:
            return
        read = (self._size, self._digest.hexdigest(), self._records, self._files)
        if read != (told.size, told.sha256, told.records, told.files):
            raise BrokenExport

    async def _blocks(self) -> AsyncGenerator[tuple[bytes, bytes], None]:
        held = bytearray()
        async for plain in self._plain():
            held += plain
            while len(held) >= HEAD_LENGTH:
                kind, length = bytes(held[:1]), int.from_bytes(held[1:HEAD_LENGTH], "big")
                if length > (MOST_DATA if kind == DATA else MOST_BLOCK):
                    raise BrokenExport
                if len(held) < HEAD_LENGTH + length:
                    break
                payload = bytes(held[HEAD_LENGTH : HEAD_LENGTH + length])
                del held[: HEAD_LENGTH + length]
                yield kind, payload
        if held:
            raise BrokenExport

    async def _plain(self) -> AsyncIterator[bytes]:
        frames = FrameReader(self._key)
        try:
            async for chunk in self._sealed:
                view = memoryview(chunk)
                for at in range(0, len(view), PIECE):
                    piece = view[at : at + PIECE]
                    self._digest.update(piece)
                    self._size += len(piece)
                    yield frames.update(piece)
                    await asyncio.sleep(0)
            yield frames.finish()
        except BrokenFrames:
            raise BrokenExport from None


def _payload(told: Mapping[str, object]) -> bytes:
    payload = _encode(told).encode("utf-8", "replace")  # half a surrogate pair can stand in no file
    if len(payload) > MOST_BLOCK:
        raise BlockTooLarge
    return payload


def _record(payload: bytes) -> ExportedRecord:
    told = _json(payload)
    category, fields = told.get("category"), told.get("fields")
    if not isinstance(category, str) or not isinstance(fields, dict):
        raise BrokenExport
    return ExportedRecord(category, fields)


def _json(payload: bytes) -> dict[str, Any]:
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError):
        raise BrokenExport from None
    if not isinstance(told, dict):
        raise BrokenExport
    return told
