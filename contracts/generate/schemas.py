"""JSON Schemas of the messages and of what seals hold, in JSON Schema 2020-12."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from contracts.seal import SealedFindings, SealedNotice, SealedSubject
from contracts.topics import MESSAGES

Json = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SEALED: tuple[type[BaseModel], ...] = (SealedSubject, SealedFindings, SealedNotice)


def message_schemas() -> dict[str, Json]:
    """Return the schema of each message body by its wire type (`dev.habeas.task.settled.v1`)."""
    return {wire_type: _document(model, wire_type) for wire_type, model in MESSAGES.items()}


def sealed_schemas() -> dict[str, Json]:
    """Return the schema of what each kind of seal holds, by the model's name."""
    return {model.__name__: _document(model, f"dev.habeas.{model.__name__}.v1") for model in SEALED}


def components(models: Iterable[type[BaseModel]]) -> dict[str, Json]:
    """Return the schemas of `models` and of all that they are made of, by name, for one AsyncAPI document."""
    pairs = [(model, "validation") for model in models]
    _, document = models_json_schema(pairs, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]  # list is invariant
    definitions: Json = document.get("$defs", {})
    return {name: _plain(schema) for name, schema in sorted(definitions.items())}


def _document(model: type[BaseModel], identifier: str) -> Json:
    schema = _plain(model.model_json_schema(mode="validation"))
    return {"$schema": DIALECT, "$id": f"urn:{identifier.replace('.', ':')}", **schema}


def _plain(node: Any, *, names: bool = False) -> Any:
    """Return `node` without the titles that pydantic gives to fields: they repeat the name.

    `names` says that the keys of `node` are names of ours (a field may well be called `title`), not keywords.
    """
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if names or key != "title" or not isinstance(value, str)}
    return {key: _plain(value, names=not names and key in {"properties", "$defs"}) for key, value in kept.items()}
