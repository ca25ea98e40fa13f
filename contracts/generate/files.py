"""Which generated files there are, what stands in them, and how they differ from those on disk."""

import difflib
import json
from pathlib import Path
from typing import Any

from contracts.generate.asyncapi import documents
from contracts.generate.schemas import message_schemas, sealed_schemas

FOLDER = Path(__file__).parent.parent / "generated"
RELEASED = Path(__file__).parent.parent / "released"
SCHEMAS = "schemas"


def generated() -> dict[str, str]:
    """Return the text of each generated file by its path below `contracts/generated`."""
    files = {f"asyncapi/{name}.json": _text(document) for name, document in documents()}
    files |= {f"{SCHEMAS}/{_short(wire)}.json": _text(schema) for wire, schema in message_schemas().items()}
    files |= {f"{SCHEMAS}/sealed/{name}.json": _text(schema) for name, schema in sealed_schemas().items()}
    return files


def drift(folder: Path = FOLDER) -> list[str]:
    """Return what differs between `folder` and what the models say: a line for each file that is stale, then how."""
    wanted = generated()
    present = {str(path.relative_to(folder)): path for path in folder.rglob("*.json")}
    found = [f"{name}: is not generated any more" for name in sorted(present.keys() - wanted.keys())]
    for name, text in sorted(wanted.items()):
        if name not in present:
            found.append(f"{name}: is missing")
            continue
        before = present[name].read_text(encoding="utf-8")
        if before != text:
            difference = difflib.unified_diff(
                before.splitlines(), text.splitlines(), "on disk", "models", lineterm="", n=1
            )
            found.append("\n".join([f"{name}: is stale", *difference]))
    return found


def write(folder: Path = FOLDER) -> None:
    """Make `folder` hold what the models say, and nothing else."""
    wanted = generated()
    for path in folder.rglob("*.json"):
        if str(path.relative_to(folder)) not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def release(folder: Path = RELEASED) -> None:
    """Freeze the present schemas as those of the last release, which later ones must stay compatible with."""
    for name, text in generated().items():
        if name.startswith(f"{SCHEMAS}/"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _short(wire_type: str) -> str:
    return wire_type.removeprefix("dev.habeas.")


def _text(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
