"""Stripe's search over customers: it learns of writes late, and its words mean what the vendor says they mean."""

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

_CLAUSE = re.compile(
    r"""\s*(?P<field>[a-z_]+)(?:\[(?P<quote>["'])(?P<key>[^"'\]]+)(?P=quote)\])?
        (?P<operator>[:~])(?P<mark>["'])(?P<value>(?:\\.|(?!(?P=mark))[^\\])*)(?P=mark)\s*""",
    re.VERBOSE,
)
_JOIN = re.compile(r"(AND|OR)\b")
FIELDS = ("email", "name", "phone", "metadata")
LEAST = 3
"""Letters that a search for a part of a text must have."""


class BadQueryError(Exception):
    """The query can not be read."""


@dataclass(frozen=True)
class Clause:
    """`field:'value'` (the whole text, in any case) or `field~'value'` (a part of it)."""

    field: str
    key: str | None
    part: bool
    value: str

    def holds(self, body: Mapping[str, Any]) -> bool:
        """Whether an object as the index knows it answers to this."""
        text = (body.get("metadata") or {}).get(self.key) if self.key else body.get(self.field)
        if not isinstance(text, str):
            return False
        return self.value in text.lower() if self.part else self.value == text.lower()


def read(query: str) -> tuple[list[Clause], bool]:
    """The clauses of a query, and whether all of them must hold; raises `BadQueryError`."""
    clauses, joins, at = [], set(), 0
    while True:
        match = _CLAUSE.match(query, at)
        if match is None or match["field"] not in FIELDS or (match["field"] == "metadata") != bool(match["key"]):
            raise BadQueryError
        value = re.sub(r"\\(.)", r"\1", match["value"]).lower()
        if match["operator"] == "~" and len(value) < LEAST:
            raise BadQueryError
        clauses.append(Clause(match["field"], match["key"], match["operator"] == "~", value))
        at = match.end()
        if at == len(query):
            break
        join = _JOIN.match(query, at)
        if join is None:
            raise BadQueryError
        joins.add(join[1])
        at = join.end()
    if len(joins) > 1:
        raise BadQueryError
    return clauses, joins != {"OR"}


@dataclass
class SearchIndex:
    """Customers as the index knows them; a write shows once it is older than the lag asked for, in seconds."""

    clock: Callable[[], float] = monotonic
    _late: deque[tuple[float, str, dict[str, Any] | None]] = field(default_factory=deque)
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put(self, thing_id: str, body: Mapping[str, Any] | None, *, at_once: bool = False) -> None:
        """Tell of a write; None tells that the object is gone."""
        snapshot = None if body is None else dict(body)
        if at_once:
            self._apply(thing_id, snapshot)
        else:
            self._late.append((self.clock(), thing_id, snapshot))

    def found(self, query: str, lag: float) -> list[dict[str, Any]]:
        """What a search finds now, newest first; raises `BadQueryError`."""
        clauses, every = read(query)
        horizon = self.clock() - lag
        while self._late and self._late[0][0] <= horizon:
            _, thing_id, body = self._late.popleft()
            self._apply(thing_id, body)
        how = all if every else any
        return [body for body in reversed(self._known.values()) if how(one.holds(body) for one in clauses)]

    def clear(self) -> None:
        """Forget everything."""
        self._late.clear()
        self._known.clear()

    def _apply(self, thing_id: str, body: dict[str, Any] | None) -> None:
        if body is None:
            self._known.pop(thing_id, None)
        else:
            self._known[thing_id] = body
