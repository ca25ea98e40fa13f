"""Contracts only grow: what is generated now is compatible with the last release, and every kind of break is caught."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.generate.compatibility import breaks
from contracts.generate.files import FOLDER, RELEASED

Json = dict[str, Any]

SCHEMAS = sorted(str(path.relative_to(RELEASED)) for path in RELEASED.rglob("*.json"))
OLD: Json = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "maxLength": 40, "pattern": "^tsk_"},
        "count": {"type": "integer", "minimum": 0},
        "word": {"$ref": "#/$defs/Word"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "by_word": {
            "type": "object",
            "propertyNames": {"$ref": "#/$defs/Word"},
            "additionalProperties": {"$ref": "#/$defs/Line"},
        },
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
    },
    "required": ["id", "count", "word"],
    "$defs": {
        "Word": {"type": "string", "enum": ["erase", "export"]},
        "Line": {"type": "object", "properties": {"of": {"$ref": "#/$defs/Word"}}, "required": ["of"]},
    },
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_nothing_breaks_what_was_released(name: str) -> None:
    present = FOLDER / name
    assert present.exists(), "a message that was released is gone: a break needs a new major topic"
    assert breaks(_read(RELEASED / name), _read(present)) == []


def _words(node: Any) -> set[str]:
    """Return the names of fields and the members of enumerations, at any depth."""
    if isinstance(node, list):
        return {word for one in node for word in _words(one)}
    if not isinstance(node, dict):
        return set()
    own = {*node.get("properties", ()), *(str(one) for one in node.get("enum", ()))}
    return own | {word for value in node.values() for word in _words(value)}


def test_the_changelog_names_everything_that_grew_since_the_release() -> None:
    text = (RELEASED.parent / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = text.split("\n## ")[1]
    for path in sorted(FOLDER.rglob("schemas/**/*.json")):
        before = RELEASED / path.relative_to(FOLDER)
        grown = _words(_read(path)) - (_words(_read(before)) if before.exists() else set())
        assert [word for word in sorted(grown) if f"`{word}`" not in newest] == [], path.name


def test_there_is_a_release_to_compare_with() -> None:
    assert SCHEMAS


def _read(path: Path) -> Json:
    document: Json = json.loads(path.read_text(encoding="utf-8"))
    return document


def _drop_enum_member(schema: Json) -> None:
    schema["$defs"]["Word"]["enum"].remove("export")


def _rename_nested(schema: Json) -> None:
    schema["$defs"]["Line"]["properties"] = {"by": {"type": "string"}}


CHANGES: dict[str, tuple[Callable[[Json], object], list[str]]] = {
    "a field removed": (
        lambda new: new["properties"].pop("note"),
        ["note: the field is gone"],
    ),
    "a nested field renamed": (
        _rename_nested,
        ["by_word.*.of: the field is gone", "lines[].of: the field is gone"],
    ),
    "a new field required": (
        lambda new: new["required"].append("note"),
        ["note: the field is required now"],
    ),
    "a required field made optional": (
        lambda new: new["required"].remove("count"),
        ["count: the field may be absent now, and older readers count on it"],
    ),
    "an enumeration that lost a member": (
        _drop_enum_member,
        [
            f"{place}: 'export' is gone from the enumeration"
            for place in ("by_word.*.of", "by_word.(name)", "lines[].of", "word")
        ],
    ),
    "a type changed": (
        lambda new: new["properties"].update(count={"type": "string", "minimum": 0}),
        ["count: the type was integer and is string"],
    ),
    "null refused": (
        lambda new: new["properties"].update(note={"type": "string"}),
        ["note: null is refused now"],
    ),
    "null allowed": (
        lambda new: new["properties"].update(count={"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]}),
        ["count: null is possible now, and older readers do not expect it"],
    ),
    "a length that shrank": (
        lambda new: new["properties"]["id"].update(maxLength=30),
        ["id: maxLength was 40 and is 30"],
    ),
    "a least value that rose": (
        lambda new: new["properties"]["count"].update(minimum=1),
        ["count: minimum was 0 and is 1"],
    ),
    "a limit that was not there": (
        lambda new: new["properties"]["lines"].update(maxItems=5),
        ["lines: maxItems was open and is 5"],
    ),
    "another pattern": (
        lambda new: new["properties"]["id"].update(pattern="^job_"),
        ["id: pattern was ^tsk_ and is ^job_"],
    ),
    "free text made an enumeration": (
        lambda new: new["properties"]["note"]["anyOf"][0].update(enum=["yes"]),
        ["note: only ['yes'] are allowed now"],
    ),
    "an alternative dropped": (
        lambda new: new["properties"]["either"]["anyOf"].pop(),
        ["either: the alternatives changed"],
    ),
    "unknown fields refused": (
        lambda new: new.update(additionalProperties=False),
        ["the message: unknown fields are refused now"],
    ),
    "an optional field added": (
        lambda new: new["properties"].update(more={"type": "string"}),
        [],
    ),
    "a member added to an enumeration": (
        lambda new: new["$defs"]["Word"]["enum"].append("lift"),
        [],
    ),
    "a limit loosened": (
        lambda new: new["properties"]["id"].update(maxLength=80),
        [],
    ),
    "a pattern dropped": (
        lambda new: new["properties"]["id"].pop("pattern"),
        [],
    ),
    "another description": (
        lambda new: new["properties"]["id"].update(description="told better"),
        [],
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_judged(what: str) -> None:
    change, expected = CHANGES[what]
    new = copy.deepcopy(OLD)
    change(new)
    assert breaks(OLD, new) == expected
