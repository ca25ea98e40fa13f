"""What a hold remembers of items, so that years later they can be read again and known to be the same person's."""

import base64
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from habeas.engine import StoredItem
from habeas.engine.matching import normalised
from habeas.sdk import Disposition, Identity, IdentityType, Item

MOST_ITEMS = 500  # of one hold, so that no row grows without end
OVER = frozenset({Disposition.ERASED, Disposition.ANONYMISED, Disposition.SUPPRESSED, Disposition.ALREADY_DONE})
_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class HeldItem:
    """An item whose `matched` has a type and no value; `fingerprint`, under `key`, stands for the value."""

    item: Item
    key: bytes = field(repr=False)
    fingerprint: bytes = field(repr=False)


class HeldSubject:
    """Whoever the items of a hold belong to, known by fingerprints alone."""

    def __init__(self, items: Iterable[HeldItem]) -> None:
        """Take the items of one person."""
        self._marks: dict[bytes, set[bytes]] = {}
        for one in items:
            self._marks.setdefault(one.key, set()).add(one.fingerprint)

    def owns(self, matched: Identity) -> bool:
        """Whether an item that is matched by this identity is this person's; an empty one never is."""
        plain = normalised(matched)
        return bool(plain.value) and any(fingerprint(key, plain) in marks for key, marks in self._marks.items())


@dataclass(frozen=True, slots=True)
class Kept:
    """Items that are kept on one ground until one day."""

    ground: str
    until: date | None
    items: Sequence[HeldItem]

    @property
    def count(self) -> int:
        """In records."""
        return sum(one.item.count for one in self.items)


def fingerprint(key: bytes, matched: Identity) -> bytes:
    """Return what stands for the normalised value of `matched`: HMAC-SHA256 under `key`."""
    plain = normalised(matched)
    return hmac.digest(key, f"{plain.type.value}\x1f{plain.value}".encode(), "sha256")


def kept_of(stored: Iterable[StoredItem], before: Iterable[HeldItem], *, key: bytes) -> list[Kept]:
    """Return what is kept of a task's items, given what its holds had remembered `before`, where it follows one.

    Values come as fingerprints under `key`; what a hold knows by its fingerprint alone keeps that.
    """
    known = {_place(one.item): one for one in before}
    groups: dict[tuple[str, date | None], list[HeldItem]] = {}
    for one in _latest(stored).values():
        result = one.result
        if result is not None and result.disposition is Disposition.RETAINED:
            held = known.get(_place(one.item)) or _held(one.item, key)
            groups.setdefault((result.ground or "unspecified", result.until), []).append(held)
    return [
        Kept(ground, until, tuple(items[start : start + MOST_ITEMS]))
        for (ground, until), items in groups.items()
        for start in range(0, len(items), MOST_ITEMS)
    ]


def is_over(stored: Iterable[StoredItem], before: Sequence[HeldItem]) -> bool:
    """Whether a hold's items all went, or are kept anew: then the hold itself may go."""
    now = _latest(stored)
    results = [found.result if (found := now.get(_place(one.item))) else None for one in before]
    return all(one is not None and one.disposition in OVER | {Disposition.RETAINED} for one in results)


def encode(items: Sequence[HeldItem]) -> bytes:
    """Return held items as bytes, to be sealed."""
    return _JSON.encode([_told(one) for one in items]).encode()


def decode(blob: bytes) -> list[HeldItem]:
    """Return the items that `encode` was given."""
    return [_read(*told) for told in json.loads(blob)]


def _held(item: Item, key: bytes) -> HeldItem:
    blank = replace(item, matched=Identity(item.matched.type, ""))
    return HeldItem(blank, key, fingerprint(key, item.matched))


def _latest(stored: Iterable[StoredItem]) -> Mapping[Place, StoredItem]:
    return {_place(one.item): one for one in sorted(stored, key=lambda one: one.ordinal)}


def _place(item: Item) -> Place:
    return (item.category, item.ref)


def _told(one: HeldItem) -> list[Any]:
    item = one.item
    dated = item.dated.isoformat() if item.dated else None
    return [item.ref, item.category, item.matched.type.value, item.count, dated, _text(one.key), _text(one.fingerprint)]


def _read(ref: str, category: str, kind: str, count: int, dated: str | None, key: str, mark: str) -> HeldItem:
    day = date.fromisoformat(dated) if dated else None
    item = Item(ref, category, Identity(IdentityType(kind), ""), count, day)
    return HeldItem(item, base64.b64decode(key), base64.b64decode(mark))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
