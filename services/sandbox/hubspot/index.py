"""HubSpot's search index: a copy of the records that learns of writes late."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from re import findall
from typing import Any

Properties = Mapping[str, str]


@dataclass(frozen=True)
class Snapshot:
    """A record as the index knows it, `updated` being epoch seconds."""

    id: str
    properties: Properties
    created: float
    updated: float


@dataclass
class SearchIndex:
    """Snapshots by object type. `clock` gives seconds; a write shows once it is older than the lag asked for."""

    clock: Callable[[], float]
    _late: deque[tuple[float, str, str, Snapshot | None]] = field(default_factory=deque)
    _known: dict[str, dict[str, Snapshot]] = field(default_factory=dict)

    def put(self, kind: str, record_id: str, snapshot: Snapshot | None, *, at_once: bool = False) -> None:
        """Tell of a write; None tells that the record is gone."""
        if at_once:
            self._apply(kind, record_id, snapshot)
        else:
            self._late.append((self.clock(), kind, record_id, snapshot))

    def visible(self, kind: str, lag: float) -> Iterable[Snapshot]:
        """What a search sees now, given a lag in seconds."""
        horizon = self.clock() - lag
        while self._late and self._late[0][0] <= horizon:
            _, late_kind, record_id, snapshot = self._late.popleft()
            self._apply(late_kind, record_id, snapshot)
        return self._known.get(kind, {}).values()

    def clear(self) -> None:
        """Forget everything."""
        self._late.clear()
        self._known.clear()

    def _apply(self, kind: str, record_id: str, snapshot: Snapshot | None) -> None:
        records = self._known.setdefault(kind, {})
        if snapshot is None:
            records.pop(record_id, None)
        else:
            records[record_id] = snapshot


def contains_token(text: str, wanted: str) -> bool:
    """A word search, not an equality: "ann@example.com" also finds "lee.ann@example.com". `*` stands for any letters.

    HubSpot splits text into words; several values of a property are joined by ";".
    """
    text, wanted = text.lower(), wanted.lower()
    if "*" in wanted:
        return any(fnmatchcase(part.strip(), wanted) for part in text.replace(";", " ").split())
    words = set(findall(r"\w+", text))
    return bool(words) and set(findall(r"\w+", wanted)) <= words


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _order(text: str, wanted: str) -> int:
    """-1, 0 or 1 as the text is less than, equal to or more than what is wanted; numbers as numbers."""
    left, right = _number(text), _number(wanted)
    if isinstance(left, float) and isinstance(right, float):
        return (left > right) - (left < right)
    return (text.lower() > wanted.lower()) - (text.lower() < wanted.lower())


_ORDERED = {"LT": (-1,), "LTE": (-1, 0), "GT": (1,), "GTE": (0, 1)}

OPERATORS = frozenset(_ORDERED) | {
    "EQ", "NEQ", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN", "BETWEEN",
}  # fmt: skip


def matches(properties: Properties, wanted: Mapping[str, Any]) -> bool:
    """Whether one filter (`propertyName`, `operator`, `value`, `values`, `highValue`) holds; text in any case."""
    text = properties.get(wanted["propertyName"], "")
    operator, value = str(wanted["operator"]), str(wanted.get("value") or "")
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return bool(text) == (operator == "HAS_PROPERTY")
    if operator.startswith("NOT_") or operator == "NEQ":
        positive = "EQ" if operator == "NEQ" else operator.removeprefix("NOT_")
        return not matches(properties, {**wanted, "operator": positive})
    if not text:
        return False
    if operator == "EQ":
        return text.lower() == value.lower()
    if operator == "IN":
        return text.lower() in {str(one).lower() for one in wanted.get("values") or ()}
    if operator == "CONTAINS_TOKEN":
        return contains_token(text, value)
    if operator == "BETWEEN":
        high = str(wanted.get("highValue") or "")
        return _order(text, value) >= 0 and _order(text, high) <= 0
    return _order(text, value) in _ORDERED[operator]
