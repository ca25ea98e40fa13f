"""The hash chain of a request's timeline: whoever changes an old entry changes every hash after it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
ORIGIN = b""  # what the first entry is chained to


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of a request's life. `detail` holds JSON values without personal data; `at` is aware."""

    seq: int
    event_id: str
    type: str
    at: datetime
    task_id: str | None = None
    processor: str | None = None
    actor: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def detail_text(self) -> str:
        """The detail as it is stored."""
        return _canonical(dict(self.detail))


def chain(previous: bytes, entry: Entry) -> bytes:
    """Return the 32 bytes that stand for `entry` and all before it: SHA-256 of `previous` and its canonical JSON.

    Canonical: keys sorted, no spaces, UTF-8; `at` in UTC with six digits of a second, as PostgreSQL keeps it.
    """
    document = {
        "seq": entry.seq,
        "event_id": entry.event_id,
        "type": entry.type,
        "at": _instant(entry.at),
        "task_id": entry.task_id,
        "processor": entry.processor,
        "actor": entry.actor,
        "detail": dict(entry.detail),
    }
    return hashlib.sha256(previous + _canonical(document).encode()).digest()


def _canonical(value: object) -> str:
    return _ENCODER.encode(value)


@lru_cache(maxsize=64)
def _instant(at: datetime) -> str:
    """Return `at` as it is hashed; the entries of one transaction share it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
