"""What a package's tables and lists of records are made of, as streams of bytes."""

import json
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from services.orchestrator.views.package import cells

PIECE: Final = 1 << 16  # bytes that are handed on at once

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_encode_ascii = json.JSONEncoder(ensure_ascii=True, allow_nan=False).encode


async def array(records: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    """Yield a JSON array with a record on each line."""
    before = b"[\n"
    async for record in records:
        yield before + document(record)
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


async def table(columns: Sequence[str], records: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    """Yield a table (RFC 4180, UTF-8 with its mark) with a record on each line."""
    yield cells.heading(columns)
    async for record in records:
        yield cells.row(columns, record)


def document(value: Mapping[str, Any]) -> bytes:
    """Return a JSON object on one line. A number that JSON has no word for becomes its name as a text."""
    try:
        text = _encode(value)
    except ValueError:
        text = _encode(_finite(value))
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: only an escape can hold it
        return _encode_ascii(_finite(value)).encode()


async def gathered(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the same bytes in pieces of at least `PIECE`, but for the last: each costs two changes of thread."""
    held: list[bytes] = []
    size = 0
    async for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield b"".join(held)
            held.clear()
            size = 0
    if held:
        yield b"".join(held)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return value
