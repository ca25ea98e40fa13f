"""Says of a wrong manifest where the mistake is and what to write instead."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

Place = tuple[int | str, ...]

# What to write for a key that is missing, wrong in shape, or of another type; by the key's name.
EXAMPLES: Mapping[str, str] = {
    "kind": 'kind = "my_crm"',
    "version": "version = 1",
    "title": 'title = "My CRM"',
    "owner": 'owner = "Sales platform team"',
    "country": 'country = "NL"',
    "safeguard": 'safeguard = "Standard contractual clauses"',
    "accepts": 'accepts = ["email", "customer_id"]',
    "resolves": 'resolves = ["customer_id"]',
    "actions": "a table for each action, such as [actions.erase]",
    "categories": 'a [[categories]] table with name = "contact" and description = "..." for each kind of data',
    "fields": '[fields] with "contact.email" = { category = "contact", name = "email" }',
    "after": 'after = ["my_index"]',
    "limits": "[limits] with calls = 100 and per = 10.0",
    "timeouts": "[timeouts] with call = 30.0 and attempt = 300.0",
    "settings": 'a [[settings]] table with name = "base_url" and description = "..." for each setting',
    "name": 'name = "contact"',
    "description": 'description = "what it holds, in words for a reader"',
    "category": 'category = "contact"',
    "idempotency": 'idempotency = "nature"',
    "batch": "batch = 50",
    "verify": "verify = true",
    "verify_after": "verify_after = 60.0",
    "concurrency": "concurrency = 4",
    "calls": "calls = 100",
    "per": "per = 10.0",
    "call": "call = 30.0",
    "attempt": "attempt = 300.0",
    "required": "required = true",
    "secret": "secret = true",
}

_PATTERNS = {
    "kind": "begin with a small letter; then small letters, digits and _; 2 to 40 in all",
    "after": "name kinds: a small letter, then small letters, digits and _; 2 to 40 in all",
    "name": "begin with a small letter; then small letters, digits, _ and, for a category, .; at most 64 in all",
    "category": "name one of the [[categories]]",
    "fields": 'write a register key such as "contact.email": small letters, digits, _ and .; at most 64 in all',
}

_TYPES = {
    "int": "a whole number without quotes",
    "float": "a number without quotes",
    "bool": "true or false, without quotes",
    "string": "text in quotes",
    "tuple": "a list in [ ]",
    "dict": "a table",
    "model": "a table",
    "model_attributes": "a table",
}

_HEADER = re.compile(r"^\s*(\[\[?)\s*((?:[\w-]+|\"[^\"]*\"|'[^']*'|\s*\.\s*)+)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_PART = re.compile(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)")


class Inconsistent(ValueError):
    """Two parts of a manifest do not go together; `place` is the one to mend."""

    def __init__(self, message: str, *place: int | str) -> None:
        """Take what is wrong and what to do."""
        self.place: Place = place
        super().__init__(message)


def explain(text: str, errors: Iterable[ErrorDetails], model: type[BaseModel]) -> Iterator[str]:
    """Yield a line for each mistake that pydantic found in `text`: its line, its key, what is wrong, what to write."""
    lines = places(text)
    for problem in errors:
        cause = problem.get("ctx", {}).get("error")
        place: Place = tuple(part for part in problem["loc"] if part != "[key]")
        if isinstance(cause, Inconsistent):
            place = cause.place
        named = ".".join(_shown(part) for part in place) or "manifest"
        yield f"{line_of(lines, place)}: {named}: {_told(problem, place, model)}"


def explain_syntax(text: str, error: tomllib.TOMLDecodeError) -> str:
    """Return the line and what is wrong with a text that is no TOML, and what to do."""
    told = str(error)
    at = re.search(r"\(at line (\d+), column (\d+)\)", told)
    line = int(at[1]) if at else len(text.splitlines()) or 1
    what = re.sub(r"\s*\(at .*\)", "", told)
    mend = "text stands in quotes, a table's name in [ ], true and false in small letters (toml.io/en/v1.0.0)"
    if "overwrite" in told or "twice" in told:
        mend = "the same key or table stands twice: keep one of them"
    elif "table declaration" in told:
        mend = "close the table's name, as in [actions.erase] or [[categories]]"
    elif "array" in told:
        mend = 'close the list, and put commas between its values, as in accepts = ["email", "phone"]'
    elif "after key" in told or "after a key" in told:
        mend = 'a line is a key, = and a value, as in title = "My CRM"'
    elif "nterminated" in told or "Illegal character" in told:
        mend = "close the quotes on the line where they were opened"
    elif "Invalid value" in told:
        mend = "text stands in quotes; true and false in small letters without them"
    return f"{line}: not TOML: {what}; {mend}"


def places(text: str) -> dict[Place, int]:
    """Return the line (from 1) on which each table and key of a TOML text is written first."""
    found: dict[Place, int] = {}
    table: Place = ()
    counts: dict[Place, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header:
            table = _parts(header[2])
            found.setdefault(table, number)
            if header[1] == "[[":
                index = counts[table] = counts.get(table, -1) + 1
                table = (*table, index)
                found.setdefault(table, number)
        elif key:
            found.setdefault((*table, *_parts(key[1])), number)
    return found


def line_of(lines: Mapping[Place, int], place: Place) -> int:
    """Return the line of `place`, or of what it should stand in; 1 for what should stand at the top."""
    for length in range(len(place), 0, -1):
        if place[:length] in lines:
            return lines[place[:length]]
    return 1


def _told(problem: ErrorDetails, place: Place, model: type[BaseModel]) -> str:
    """Return what is wrong at `place`, and what to write instead."""
    kind, context = problem["type"], problem.get("ctx", {})
    key = next((part for part in reversed(place) if isinstance(part, str)), "")
    example = EXAMPLES.get(key)
    if isinstance(context.get("error"), Inconsistent):
        return str(context["error"])
    if kind == "extra_forbidden":
        return _unknown(key, _keys_at(model, place[:-1]))
    if kind == "missing":
        return f"missing; add {example or key}"
    if kind in ("enum", "literal_error"):
        return _no_such(problem, place, str(context.get("expected", "")))
    if kind == "string_pattern_mismatch":
        known = next((part for part in reversed(place) if part in _PATTERNS), "name")
        return f"{problem['input']!r} is no name that can be used; {_PATTERNS[str(known)]}"
    if kind.endswith(("_type", "_parsing", "_from_float")):
        wanted = _TYPES.get(kind.rsplit("_", 1)[0].removesuffix("_from"), "of another type")
        return f"must be {wanted}{_as_in(example)}"
    return f"{_bound(kind, context)}{_as_in(example)}"


def _bound(kind: str, context: Mapping[str, Any]) -> str:
    match kind:
        case "greater_than_equal":
            return f"must be at least {context['ge']}"
        case "greater_than":
            return f"must be more than {context['gt']}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case "too_short" | "string_too_short":
            return "must not be empty"
        case "string_too_long":
            return f"must be at most {context['max_length']} characters long; shorten it"
        case _:
            return "cannot be used"


def _unknown(key: str, known: Iterable[str]) -> str:
    close = get_close_matches(key, list(known), n=1)
    hint = f"did you mean {close[0]}?" if close else f"take it out; known here are {', '.join(sorted(known))}"
    return f"unknown key; {hint}"


def _no_such(problem: ErrorDetails, place: Place, expected: str) -> str:
    words = re.findall(r"'([^']+)'", expected)
    words_for = {"actions": "action", "accepts": "identity type", "resolves": "identity type"}
    what = words_for.get(str(place[0]), "choice") if problem["type"] == "enum" else "choice"
    given = problem["input"]
    close = get_close_matches(given, words, n=1) if isinstance(given, str) else []
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{given!r} is no {what}; {hint}choose from {', '.join(words)}"


def _keys_at(model: type[BaseModel], place: Place) -> tuple[str, ...]:
    """Return the keys that may stand in the table at `place`."""
    for part in place:
        if isinstance(part, str) and part in model.model_fields:
            inner = _model_in(model.model_fields[part].annotation)
            if inner is None:
                return ()
            model = inner
    return tuple(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(each) for each in getattr(annotation, "__args__", ()))
    return next((model for model in inner if model is not None), None)


def _as_in(example: str | None) -> str:
    return f"; write {example}" if example else ""


def _parts(dotted: str) -> Place:
    return tuple(double or single or bare for double, single, bare in _PART.findall(dotted))


def _shown(part: int | str) -> str:
    text = str(part)
    return f'"{text}"' if "." in text else text
