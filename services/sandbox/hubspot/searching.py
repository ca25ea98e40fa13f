"""The search: five required fields, 200 a page, 10,000 results in all, and an index that lags behind."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from services.sandbox.hubspot.calls import Call
from services.sandbox.hubspot.catalogue import ObjectType
from services.sandbox.hubspot.index import OPERATORS, Snapshot, matches
from services.sandbox.hubspot.replies import found_body, page, refuse

REQUIRED = ("filterGroups", "properties", "sorts", "limit", "after")
PAGE_LIMIT, TOTAL_LIMIT, GROUP_LIMIT, FILTER_LIMIT = 200, 10_000, 5, 25


async def search(call: Call) -> Response:
    """POST {root}/search; groups are alternatives, the filters of a group must all hold."""
    kind, body = call.kind(), await call.json()
    groups = _groups(kind, body)
    offset, limit = _window(call, body)
    lag = call.account.dial.knobs.search_lag
    found = [
        one
        for one in call.crm.index.visible(kind.name, lag)
        if not groups or any(all(matches(one.properties, wanted) for wanted in group) for group in groups)
    ]
    chosen = _sorted(found, body["sorts"])[offset : offset + limit]
    after = str(offset + limit) if offset + limit < len(found) else None
    results = [found_body(one, kind, body["properties"]) for one in chosen]
    return JSONResponse({"total": len(found), **page(results, after)})


def _groups(kind: ObjectType, body: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
    missing = [name for name in REQUIRED if name not in body]
    if missing:
        errors = [{"message": f"{name} is required", "code": "REQUIRED_FIELD", "in": name} for name in missing]
        refuse(f"Some required fields were not set: [{', '.join(missing)}]", errors=errors)
    groups = [list(group.get("filters") or ()) for group in body["filterGroups"]]
    if len(groups) > GROUP_LIMIT:
        refuse(f"The maximum number of filter groups is {GROUP_LIMIT}")
    if sum(map(len, groups)) > FILTER_LIMIT:
        refuse(f"The maximum number of filters is {FILTER_LIMIT}")
    for wanted in (one for group in groups for one in group):
        if wanted.get("propertyName") not in kind.known:
            refuse("There was a problem with the request: a filter names a property that does not exist")
        if wanted.get("operator") not in OPERATORS:
            refuse("Invalid input JSON: operator is not one of the known operators")
    return groups


def _window(call: Call, body: Mapping[str, Any]) -> tuple[int, int]:
    limit, after = body["limit"], str(body["after"] or "0")
    if not isinstance(limit, int) or not 0 <= limit <= PAGE_LIMIT:
        refuse(f"The limit must be at most {PAGE_LIMIT}")
    if not after.isdigit():
        refuse("after must be the cursor of an earlier page")
    if int(after) + limit > TOTAL_LIMIT:
        refuse(f"Paging beyond {TOTAL_LIMIT} results is not supported")
    return int(after), call.capped(limit)


def _sorted(found: list[Snapshot], sorts: list[Any]) -> list[Snapshot]:
    """HubSpot takes one sort rule, as text ("-createdate") or as an object; oldest first without one."""
    rule = sorts[0] if sorts else "createdate"
    if isinstance(rule, Mapping):
        name, down = str(rule.get("propertyName")), rule.get("direction") == "DESCENDING"
    else:
        name, down = str(rule).lstrip("-"), str(rule).startswith("-")
    return sorted(found, key=lambda one: (one.properties.get(name, ""), int(one.id)), reverse=down)
