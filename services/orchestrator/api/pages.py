"""Two pages that need nothing but this server: the reference of the API, and one request's timeline."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from services.orchestrator.api import meanings
from services.orchestrator.api.exchange import exchange_of
from services.orchestrator.api.openapi import codes_of, document
from services.orchestrator.api.problems import KINDS
from services.orchestrator.api.routing import Operation
from services.orchestrator.domain.request import FOLLOWS

_PAGES = ("reference.html", "timeline.html", "timeline.js", "style.css")


def routes(operations: Sequence[Operation], *, version: str) -> list[Route]:
    """Return `/openapi.json`, `/reference` and `/requests/{id}`: they hold nothing that needs a key."""
    files = {name: resources.files(__package__).joinpath("pages", name).read_text(encoding="utf-8") for name in _PAGES}
    environment = Environment(loader=DictLoader(files), autoescape=True, undefined=StrictUndefined)
    style, script = files["style.css"], files["timeline.js"]
    described = document(operations, version=version)
    reference = environment.get_template("reference.html").render(style=style, **_reference(operations, described))
    timeline = environment.get_template("timeline.html").render(style=style, script=script)
    return [
        _route("/openapi.json", JSONResponse(described)),
        _route("/reference", _page(reference, style=style)),
        _route("/requests/{request_id}", _page(timeline, style=style, script=script)),
    ]


def _route(path: str, prepared: Response) -> Route:
    async def endpoint(request: Request) -> Response:
        exchange_of(request.scope).route = path
        return Response(prepared.body, prepared.status_code, dict(prepared.headers))

    return Route(path, endpoint, methods=["GET"], include_in_schema=False)


def _page(text: str, *, style: str, script: str | None = None) -> Response:
    """Return a page that may run and load only what it brings: a policy names its style and script by their hashes."""
    scripts = _digest(script) if script else "'none'"
    policy = [
        "default-src 'none'",
        f"style-src {_digest(style)}",
        f"script-src {scripts}",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
    return HTMLResponse(text, headers={"content-security-policy": "; ".join(policy), "referrer-policy": "no-referrer"})


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _reference(operations: Sequence[Operation], described: Mapping[str, Any]) -> dict[str, Any]:
    schemas: dict[str, Any] = described["components"]["schemas"]
    return {
        "operations": [_operation(one, described) for one in operations],
        "request_states": [
            {"word": state.value, "meaning": text, "next": ", ".join(sorted(one.value for one in FOLLOWS[state]))}
            for state, text in meanings.REQUEST_STATES.items()
        ],
        "words": [
            ("States of a task", meanings.TASK_STATES.items()),
            ("Headlines of an outcome", meanings.HEADLINES.items()),
            ("Why a person is needed", meanings.ATTENTION.items()),
            ("Why a request follows another", meanings.CAUSES.items()),
            ("What a timeline tells of data that is kept", meanings.HOLDS.items()),
        ],
        "problems": list(KINDS.items()),
        "shapes": [
            {"name": name, "description": schema.get("description", ""), "fields": list(_fields(schema))}
            for name, schema in sorted(schemas.items())
        ],
    }


def _operation(operation: Operation, described: Mapping[str, Any]) -> dict[str, Any]:
    entry = described["paths"][operation.path][operation.method.lower()]
    schema = entry["responses"][str(operation.status)]["content"][operation.media_type]["schema"]
    return {
        "name": operation.name,
        "method": operation.method,
        "path": operation.path,
        "scope": operation.scope.value,
        "status": operation.status,
        "summary": operation.summary,
        "description": operation.description,
        "answer": None if operation.answer is bytes else _type(schema),
        "media_type": operation.media_type,
        "parameters": [{"description": "", **parameter} for parameter in entry["parameters"]],
        "curl": _curl(operation),
        "codes": codes_of(operation),
    }


def _curl(operation: Operation) -> str:
    lines = [f"curl -X {operation.method} $HABEAS_URL{operation.path}", '  -H "Authorization: Bearer $HABEAS_API_KEY"']
    if operation.keyed:
        lines.append('  -H "Idempotency-Key: ticket-42"')
    if operation.example is not None:
        lines.append('  -H "Content-Type: application/json"')
        lines.append(f"  -d '{json.dumps(operation.example, indent=2)}'")
    if operation.answer is bytes:
        lines.append("  --fail --output package.zip")
    return " \\\n".join(lines)


def _fields(schema: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for name, field in schema.get("properties", {}).items():
        yield {"name": name, "type": _type(field), "description": field.get("description", "")}
    if "enum" in schema:
        yield {"name": "one of", "type": ", ".join(str(word) for word in schema["enum"]), "description": ""}


def _type(schema: Mapping[str, Any]) -> str:
    """Return a schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return ", ".join(str(word) for word in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", "any"))
