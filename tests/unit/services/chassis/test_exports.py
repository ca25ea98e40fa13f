"""Exports come back as they were written, or not at all."""

import hashlib
import json
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from contracts.exports import DATA, END, FILE, FILE_END, MOST_BLOCK, MOST_DATA, RECORD, ExportReceipt, head
from contracts.frames import sealed_length
from services.chassis.crypto.frames import FrameWriter
from services.chassis.exports import (
    BlockTooLarge,
    BrokenExport,
    ExportedFile,
    ExportedRecord,
    ExportReader,
    ExportWriter,
)

KEY = bytes(range(32))
BIG = os.urandom(3 * MOST_DATA + 17)

Seen = tuple[str, str, object]


def written(writer: ExportWriter) -> bytes:
    """Write two records and three files; the middle one is empty."""
    parts: list[Iterator[bytes]] = [writer.record("contact", {"name": "Zoë", "n": [1, None, {"deep": True}]})]
    for chunks in ((b"one", b"", BIG), (), (b"last",)):
        parts += [writer.file("files", "image/png"), *(writer.data(chunk) for chunk in chunks)]
        parts.append(writer.file_end())
    parts += [writer.record("note", {}), writer.end()]
    return b"".join(piece for part in parts for piece in part)


async def stream(sealed: bytes, step: int) -> AsyncIterator[bytes]:
    for at in range(0, len(sealed), step):
        yield sealed[at : at + step]


async def read(
    sealed: bytes, *, step: int = 70_001, key: bytes = KEY, receipt: ExportReceipt | None = None
) -> list[Seen]:
    seen: list[Seen] = []
    async for thing in ExportReader(stream(sealed, step), key, receipt=receipt):
        if isinstance(thing, ExportedRecord):
            seen.append(("record", thing.category, thing.fields))
        else:
            seen.append((thing.media_type, thing.category, b"".join([chunk async for chunk in thing.chunks])))
    return seen


@pytest.mark.parametrize("step", [977, 65_536, 1 << 20, 1 << 30])
async def test_what_was_written_is_read(step: int) -> None:
    writer = ExportWriter(KEY)
    sealed = written(writer)
    receipt = writer.receipt(3)
    assert receipt.model_dump() == {
        "attempt": 3,
        "size": len(sealed),
        "sha256": hashlib.sha256(sealed).hexdigest(),
        "records": 2,
        "files": 3,
    }
    assert await read(sealed, step=step, receipt=receipt) == [
        ("record", "contact", {"name": "Zoë", "n": [1, None, {"deep": True}]}),
        ("image/png", "files", b"one" + BIG),
        ("image/png", "files", b""),
        ("image/png", "files", b"last"),
        ("record", "note", {}),
    ]


async def test_an_empty_export_is_an_export() -> None:
    writer = ExportWriter(KEY)
    sealed = b"".join(writer.end())
    assert await read(sealed, receipt=writer.receipt(1)) == []


async def test_what_is_left_unread_of_a_file_is_skipped() -> None:
    sealed = written(ExportWriter(KEY))
    first: list[bytes] = []
    kinds = []
    async for thing in ExportReader(stream(sealed, 50_000), KEY):
        kinds.append(type(thing))
        if isinstance(thing, ExportedFile) and not first:
            first.append(await anext(thing.chunks))
    assert first == [b"one"]
    assert kinds == [ExportedRecord, ExportedFile, ExportedFile, ExportedFile, ExportedRecord]


@pytest.mark.parametrize("change", ["size", "sha256", "records", "files"])
async def test_an_export_must_be_what_its_receipt_says(change: str) -> None:
    writer = ExportWriter(KEY)
    sealed = written(writer)
    receipt = writer.receipt(1)
    wrong = "0" * 64 if change == "sha256" else getattr(receipt, change) + 1
    with pytest.raises(BrokenExport):
        await read(sealed, receipt=receipt.model_copy(update={change: wrong}))


@pytest.mark.parametrize("cut", [0, 1, 39, 40, 41, 70_000, -1, -17])
async def test_a_part_is_not_believed(cut: int) -> None:
    with pytest.raises(BrokenExport):
        await read(written(ExportWriter(KEY))[:cut])


async def test_another_key_opens_nothing() -> None:
    with pytest.raises(BrokenExport):
        await read(written(ExportWriter(KEY)), key=bytes(32))


def block(kind: bytes, told: object = None, *, raw: bytes | None = None) -> bytes:
    payload = json.dumps(told).encode() if raw is None else raw
    return head(kind, len(payload)) + payload


WHOLE = block(END, {"records": 0, "files": 0})
ONE_FILE = block(FILE, {"category": "files", "media_type": "text/plain"})
CASES = {
    "no end": block(RECORD, {"category": "contact", "fields": {}}),
    "nothing": b"",
    "bytes behind the end": WHOLE + b"R",
    "a block behind the end": WHOLE + block(RECORD, {"category": "contact", "fields": {}}),
    "two ends": WHOLE + WHOLE,
    "fewer records than the end says": block(END, {"records": 1, "files": 0}),
    "more files than the end says": ONE_FILE + block(FILE_END, {"bytes": 0}) + WHOLE,
    "a file that does not end": ONE_FILE + block(END, {"records": 0, "files": 1}),
    "a file shorter than it says": ONE_FILE
    + block(DATA, raw=b"abc")
    + block(FILE_END, {"bytes": 4})
    + block(END, {"records": 0, "files": 1}),
    "data without a file": block(DATA, raw=b"abc") + WHOLE,
    "the end of no file": block(FILE_END, {"bytes": 0}) + WHOLE,
    "an unknown block": block(b"X", {}) + WHOLE,
    "a record that is no object": block(RECORD, []) + WHOLE,
    "a record without fields": block(RECORD, {"category": "contact"}) + block(END, {"records": 1, "files": 0}),
    "a record that is no JSON": block(RECORD, raw=b"{") + block(END, {"records": 1, "files": 0}),
    "a record that goes too deep": block(RECORD, raw=b"[" * 500_000) + WHOLE,
    "a file without a media type": block(FILE, {"category": "files"}) + WHOLE,
    "too long a data block": ONE_FILE + head(DATA, MOST_DATA + 1),
    "too long a record": head(RECORD, MOST_BLOCK + 1),
    "half a head": WHOLE[:3],
}


@pytest.mark.parametrize("name", CASES)
async def test_what_is_not_the_format_is_not_believed(name: str) -> None:
    frames = FrameWriter(KEY)
    with pytest.raises(BrokenExport):
        await read(frames.update(CASES[name]) + frames.finish())


def test_a_record_has_a_largest_size() -> None:
    writer = ExportWriter(KEY)
    with pytest.raises(BlockTooLarge):
        list(writer.record("contact", {"text": "x" * MOST_BLOCK}))


@pytest.mark.parametrize("value", [float("nan"), object(), b"bytes"])
def test_fields_are_json_values(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        list(ExportWriter(KEY).record("contact", {"one": value}))


async def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    writer = ExportWriter(KEY)
    sealed = b"".join([*writer.record("contact", {"name": "a\ud83d"}), *writer.end()])
    assert await read(sealed) == [("record", "contact", {"name": "a?"})]


async def test_nothing_readable_is_stored() -> None:
    planted = "jane.planted@example.com"
    writer = ExportWriter(KEY)
    parts = [writer.record("contact", {"email": planted}), writer.file("contact", "text/plain")]
    parts += [writer.data(planted.encode() * 9_000), writer.file_end(), writer.end()]
    sealed = b"".join(piece for part in parts for piece in part)
    assert planted.encode() not in sealed
    assert b"contact" not in sealed
    assert len(sealed) > sealed_length(9_000 * len(planted))
