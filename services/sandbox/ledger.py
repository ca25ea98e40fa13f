"""What really happened at a vendor: an append-only file, on disk before the vendor's reply leaves."""

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One call that aims at state. `changed` is false where it found nothing left to change, or lied.

    `person` is the customer id or address of whoever the target belongs to; `key` the caller's idempotency key.
    """

    effect: str
    target: str
    person: str | None = None
    key: str | None = None
    changed: bool = True


class Ledger:
    """One vendor's file `<folder>/<vendor>.jsonl`; numbering goes on after a restart. Safe for threads."""

    def __init__(self, folder: Path, vendor: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{vendor}.jsonl"
        self._vendor = vendor
        self._lock = threading.Lock()
        self._seq = len(self.read())
        self._file = self._open()

    def append(self, *entries: Entry) -> None:
        """Write the entries and force them to disk; returns only then."""
        self.extend(entries)

    def extend(self, entries: Sequence[Entry]) -> None:
        """As `append`; a batch call is many entries and one flush."""
        if not entries:
            return
        with self._lock:
            at = datetime.now(UTC).isoformat()
            lines = [self._line(self._seq + n, at, entry) for n, entry in enumerate(entries, start=1)]
            os.write(self._file, "".join(lines).encode())
            os.fsync(self._file)
            self._seq += len(entries)

    def read(self) -> list[dict[str, Any]]:
        """All lines so far, oldest first."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]

    def start_afresh(self) -> None:
        """Set the file aside as `<vendor>.<n>.jsonl` and begin an empty one: nothing is ever overwritten."""
        with self._lock:
            os.close(self._file)
            if self._seq:
                taken = len(list(self.path.parent.glob(f"{self._vendor}.*.jsonl")))
                self.path.rename(self.path.with_name(f"{self._vendor}.{taken + 1}.jsonl"))
            self._seq = 0
            self._file = self._open()

    def close(self) -> None:
        """Release the file."""
        os.close(self._file)

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def _line(self, seq: int, at: str, entry: Entry) -> str:
        body = {
            "seq": seq,
            "at": at,
            "vendor": self._vendor,
            "effect": entry.effect,
            "target": entry.target,
            "person": entry.person,
            "key": entry.key,
            "changed": entry.changed,
        }
        return json.dumps(body, ensure_ascii=False) + "\n"
