"""The list of a type's properties, which a reader needs first: only properties asked for come back."""

from typing import Any

from starlette.responses import JSONResponse, Response

from services.sandbox.hubspot.calls import Call
from services.sandbox.hubspot.catalogue import ObjectType


async def properties(call: Call) -> Response:
    """GET /crm/v3/properties/{type}."""
    kind = call.kind()
    return JSONResponse({"results": [_property(kind, name) for name in kind.known]})


def _property(kind: ObjectType, name: str) -> dict[str, Any]:
    dated = name in kind.stamps
    return {
        "name": name,
        "label": name.removeprefix("hs_").replace("_", " ").capitalize(),
        "type": "datetime" if dated else "string",
        "fieldType": "date" if dated else "text",
        "groupName": f"{kind.singular}information",
        "description": "",
        "options": [],
        "hidden": False,
        "hasUniqueValue": name in ("hs_object_id", "email"),
        "modificationMetadata": {
            "archivable": False,
            "readOnlyDefinition": True,
            "readOnlyValue": name in kind.read_only,
        },
    }
