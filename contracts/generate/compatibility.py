"""Compares a schema with that of the last release: what would break a reader or a sender that was built on it."""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

# Keywords that limit a value from above, and from below: neither may tighten.
UPPER = ("maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum")
LOWER = ("minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum")
EXACT = ("pattern", "format", "const", "multipleOf")
NULL = {"type": "null"}


def breaks(old: Json, new: Json) -> list[str]:
    """Return a line for each break: where it is, and what it is. Empty when the change only adds."""
    return list(_Comparison(old, new).at("", old, new))


class _Comparison:
    """Walks two documents at a time, each with its own definitions."""

    def __init__(self, old: Json, new: Json) -> None:
        self._old = old.get("$defs", {})
        self._new = new.get("$defs", {})

    def at(self, place: str, old: Json, new: Json) -> Iterator[str]:
        old, old_null = _without_null(_followed(old, self._old), self._old)
        new, new_null = _without_null(_followed(new, self._new), self._new)
        where = place or "the message"
        if old_null != new_null:
            how = "refused now" if old_null else "possible now, and older readers do not expect it"
            yield f"{where}: null is {how}"
        yield from self._value(where, old, new)
        yield from self._members(place, old, new)
        for keyword, mark in (("items", "[]"), ("additionalProperties", ".*"), ("propertyNames", ".(name)")):
            if isinstance(old.get(keyword), dict) and isinstance(new.get(keyword), dict):
                yield from self.at(place + mark, old[keyword], new[keyword])

    def _value(self, where: str, old: Json, new: Json) -> Iterator[str]:
        if old.get("type") != new.get("type"):
            yield f"{where}: the type was {old.get('type')} and is {new.get('type')}"
        if "enum" in old or "enum" in new:
            yield from _members_of_enum(where, old.get("enum"), new.get("enum"))
        for keyword in EXACT:
            if keyword in new and old.get(keyword) != new[keyword]:
                yield f"{where}: {keyword} was {old.get(keyword)} and is {new[keyword]}"
        for keyword in (*UPPER, *LOWER):
            if keyword in new and _tightened(keyword, old.get(keyword), new[keyword]):
                yield f"{where}: {keyword} was {old.get(keyword, 'open')} and is {new[keyword]}"
        if "anyOf" in old and old["anyOf"] != new.get("anyOf"):
            yield f"{where}: the alternatives changed"

    def _members(self, place: str, old: Json, new: Json) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in sorted(before.keys() - after.keys()):
            yield f"{_inside(place, name)}: the field is gone"
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{_inside(place, name)}: the field is required now"
        for name in sorted(set(old.get("required", ())) & after.keys() - set(new.get("required", ()))):
            yield f"{_inside(place, name)}: the field may be absent now, and older readers count on it"
        for name in sorted(before.keys() & after.keys()):
            yield from self.at(_inside(place, name), before[name], after[name])
        if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            yield f"{place or 'the message'}: unknown fields are refused now"


def _followed(node: Json, definitions: Json) -> Json:
    """Return `node`, or what its $ref names together with what stands beside the $ref."""
    while "$ref" in node:
        beside = {key: value for key, value in node.items() if key != "$ref"}
        node = {**definitions[node["$ref"].rpartition("/")[2]], **beside}
    return node


def _without_null(node: Json, definitions: Json) -> tuple[Json, bool]:
    """Return `node` without the alternative null, and whether it had it."""
    alternatives = node.get("anyOf", [])
    others = [one for one in alternatives if one != NULL]
    if len(others) == len(alternatives):
        return node, False
    beside = {key: value for key, value in node.items() if key != "anyOf"}
    if len(others) == 1:
        return {**_followed(others[0], definitions), **beside}, True
    return {**beside, "anyOf": others}, True


def _members_of_enum(where: str, old: list[Any] | None, new: list[Any] | None) -> Iterator[str]:
    if old is None:
        yield f"{where}: only {new} are allowed now"
    elif new is not None:
        for member in [one for one in old if one not in new]:
            yield f"{where}: {member!r} is gone from the enumeration"


def _tightened(keyword: str, old: float | None, new: float) -> bool:
    return old is None or (new < old if keyword in UPPER else new > old)


def _inside(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
