"""The OpenAPI 3.1 document, made from the table of operations and the shapes of `contracts.http`."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from contracts.http import Problem
from services.orchestrator.api.problems import KINDS, MEDIA_TYPE
from services.orchestrator.api.routing import Operation

_REF = "#/components/schemas/{model}"
_ALWAYS = (
    "key_missing",
    "key_malformed",
    "key_unknown",
    "key_expired",
    "scope_missing",
    "internal_error",
    "unavailable",
)
_WITH_BODY = ("malformed_json", "json_too_deep", "body_too_large", "media_type_unsupported", "validation_failed")
_HEADERS = {
    "X-Request-Id": {"description": "of this exchange; quote it when asking for help", "schema": {"type": "string"}},
    "Trace-Id": {"description": "of the trace that this exchange belongs to", "schema": {"type": "string"}},
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "fresh for each request, the same when one is sent again; remembered for the life of the request; "
    "quoted or bare",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "example": "ticket-42",
}
_BYTES = {"type": "string", "format": "binary"}
_DESCRIPTION = """\
Files data subject requests, follows them and repairs them.

Times are RFC 3339 in UTC. Unknown fields are refused; be ready for new ones in answers. Lists have `data` and
`next_cursor`. Errors are `application/problem+json` with a stable `code`; all are explained at `/reference`.

A key is for the real thing (`hab_live_...`) or for rehearsals (`hab_test_...`), and sees requests of its mode alone.
A rehearsal is planned at processors that were enrolled for rehearsals and at no others; with none it waits. Its mails
go out all the same, marked as a test in subject and text: give a contact of your own.
"""


def document(operations: Sequence[Operation], *, version: str) -> dict[str, Any]:
    """Return the document."""
    schemas, refs = _schemas(operations)
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Habeas", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "hab_live_..."}},
        },
    }


def codes_of(operation: Operation) -> tuple[str, ...]:
    """Return every problem that an operation may answer with, its own first."""
    return tuple(dict.fromkeys((*operation.codes, *(_WITH_BODY if operation.body else ()), *_ALWAYS)))


def _schemas(operations: Sequence[Operation]) -> tuple[dict[str, Any], dict[Any, dict[str, Any]]]:
    """Return the shapes by name, and for each model where it stands."""
    wanted: list[tuple[type[BaseModel], Any]] = [(Problem, "serialization")]
    for operation in operations:
        if operation.answer is not bytes:
            wanted.append((operation.answer, "serialization"))
        if operation.body is not None:
            wanted.append((operation.body, "validation"))
    unique = list(dict.fromkeys(wanted))
    refs, defined = models_json_schema(unique, ref_template=_REF)
    return defined["$defs"], {model: ref for (model, _), ref in refs.items()}


def _operation(operation: Operation, refs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    answer = {
        "description": operation.summary,
        "headers": _HEADERS,
        "content": {operation.media_type: {"schema": _BYTES if operation.answer is bytes else refs[operation.answer]}},
    }
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"{operation.description}\n\nNeeds the scope `{operation.scope.value}`.".strip(),
        "tags": [operation.path.split("/")[2]],
        "parameters": list(_parameters(operation)),
        "responses": {str(operation.status): answer, **_problems(operation, refs)},
    }
    if operation.body is not None:
        content: dict[str, Any] = {"schema": refs[operation.body]}
        if operation.examples:
            content["examples"] = {name: {"value": value} for name, value in operation.examples.items()}
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    return described


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"\{(\w+)\}", operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    if operation.keyed:
        yield _KEY
    if operation.query is not None:
        for name, info in operation.query.model_fields.items():
            schema = TypeAdapter(operation.query).json_schema()
            field = _inlined(schema["properties"][name], schema.get("$defs", {}))
            yield {
                "name": name,
                "in": "query",
                "required": False,
                "description": info.description or "",
                "schema": field,
            }


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """Return a schema without references and without the `null` that only says that a parameter may be left out."""
    if "$ref" in schema:
        return definitions[schema["$ref"].rpartition("/")[2]]
    options = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(options) == 1:
        return _inlined(options[0], definitions)
    return {name: value for name, value in schema.items() if name not in {"title", "description", "default"}} | (
        {"default": schema["default"]} if schema.get("default") is not None else {}
    )


def _problems(operation: Operation, refs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for code in codes_of(operation):
        by_status.setdefault(KINDS[code].status, []).append(code)
    return {
        str(status): {
            "description": ", ".join(f"`{code}`" for code in codes),
            "headers": _HEADERS,
            "content": {MEDIA_TYPE: {"schema": refs[Problem]}},
        }
        for status, codes in sorted(by_status.items())
    }
