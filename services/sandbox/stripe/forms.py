"""Stripe's way of writing nested values in a query or a form: `objects[customers][]=cus_1`, `metadata[key]=value`."""

import re
from typing import Any
from urllib.parse import parse_qsl

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")


class MalformedError(Exception):
    """What was sent can not be read; `args[0]` is the name of the parameter, or "" for the whole."""


def parsed(text: str) -> dict[str, Any]:
    """The values as nested mappings and lists; raises `MalformedError`."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True) if text else []
    except ValueError:
        raise MalformedError("") from None
    found: dict[str, Any] = {}
    for name, value in pairs:
        match = _KEY.fullmatch(name)
        if match is None:
            raise MalformedError(name)
        _place(found, [match[1], *_PART.findall(match[2])], value, name)
    return found


def _place(found: dict[str, Any], path: list[str], value: str, name: str) -> None:
    *way, last = path
    if last == "" and way:  # `name[]` appends
        *way, last = way
        there = _walk(found, way, name).setdefault(last, [])
        if not isinstance(there, list):
            raise MalformedError(name)
        there.append(value)
        return
    into = _walk(found, way, name)
    if isinstance(into.get(last), dict | list):
        raise MalformedError(name)
    into[last] = value


def _walk(found: dict[str, Any], way: list[str], name: str) -> dict[str, Any]:
    for part in way:
        if not part:
            raise MalformedError(name)
        found = found.setdefault(part, {})
        if not isinstance(found, dict):
            raise MalformedError(name)
    return found
