"""Records one by one and in batches: read, list, create, change, archive."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse, Response

from services.sandbox.hubspot.calls import Call
from services.sandbox.hubspot.catalogue import CONTACTS, ObjectType, object_type
from services.sandbox.hubspot.crm import EmailTakenError, Record, Ref, stamp
from services.sandbox.hubspot.replies import conflict, not_found, object_body, page, refuse, refuse_properties

BATCH_LIMIT = 100
_EMAIL = re.compile(r"[^@\s;]+@[^@\s;]+\.[^@\s;]+")


async def read(call: Call) -> Response:
    """GET {root}/{id}?idProperty&properties&associations&archived."""
    record = call.record(archived=call.flag("archived"))
    body = object_body(record, call.names("properties"))
    links = _links(call, record)
    if links:
        body["associations"] = links
    return JSONResponse(body)


async def listing(call: Call) -> Response:
    """GET {root}?limit&after&properties&archived: all records of a type, 100 a page at most."""
    offset, limit = call.window(10, 100)
    archived, wanted = call.flag("archived"), call.names("properties")
    records = [one for one in call.crm.of_type(call.kind().name) if (one.archived_at is not None) == archived]
    rest = [one for one in records if int(one.id) > offset]
    chosen = rest[:limit]
    after = chosen[-1].id if len(rest) > limit else None
    return JSONResponse(page([object_body(one, wanted) for one in chosen], after))


async def create(call: Call) -> Response:
    """POST {root} {properties, associations}: 201; a purged address may come back this way."""
    kind, body = call.kind(), await call.json()
    properties = checked(kind, body.get("properties"))
    links = [_link(call, one) for one in body.get("associations") or ()]
    try:
        record = call.crm.create(kind, properties, links)
    except EmailTakenError as taken:
        raise conflict(taken.args[0]) from None
    call.note(f"{kind.singular}.create", record.id, call.crm.owner(record))
    return JSONResponse(object_body(record, kind.known), status_code=HTTPStatus.CREATED)


async def change(call: Call) -> Response:
    """PATCH {root}/{id}?idProperty {properties}; "" clears a property."""
    record = call.record()
    properties = checked(record.kind, (await call.json()).get("properties"))
    person = call.crm.owner(record)
    if call.lying:
        call.note(f"{record.kind.singular}.update", record.id, person, changed=False)
        pretended = Record(record.kind, record.id, record.properties | properties, record.created, datetime.now(UTC))
        return JSONResponse(object_body(pretended, properties))
    try:
        changed = call.crm.update(record, properties)
    except EmailTakenError as taken:
        raise conflict(taken.args[0]) from None
    call.note(f"{record.kind.singular}.update", record.id, person, changed=changed)
    return JSONResponse(object_body(record, properties))


async def archive(call: Call) -> Response:
    """DELETE {root}/{id}: into the recycle bin, which is no erasure; 204 again for one that is already there."""
    kind, record_id = call.kind(), call.request.path_params["id"]
    record = call.crm.find(kind, record_id)
    binned = call.crm.find(kind, record_id, archived=True)
    if record is None and binned is None and not call.crm.was_purged((kind.name, record_id)):
        raise not_found()
    known = record or binned
    person = call.crm.owner(known) if known else None
    changed = record is not None and not call.lying
    if record and changed:
        call.crm.archive(record)
    call.note(f"{kind.singular}.archive", record_id, person, changed=changed)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def batch_read(call: Call) -> Response:
    """POST {root}/batch/read?archived {inputs, properties, idProperty}: 100 at most; 207 where some are missing."""
    kind, body, archived = call.kind(), await call.json(), call.flag("archived")
    if not all(isinstance(body.get(name), list) for name in ("inputs", "properties")):
        refuse("inputs and properties are required")
    inputs = [str(one.get("id", "")) for one in body["inputs"]]
    if len(inputs) > BATCH_LIMIT:
        refuse(f"The maximum number of inputs supported in a batch request is {BATCH_LIMIT}")
    by_email = kind is CONTACTS and body.get("idProperty") == "email"
    started = stamp(datetime.now(UTC))
    found: dict[str, Record | None] = {}
    for one in inputs:  # the recycle bin knows no addresses
        known = call.crm.find_by_email(one) if by_email else call.crm.find(kind, one, archived=archived)
        found[one] = known if known and (known.archived_at is not None) == archived else None
    missing = [one for one, record in found.items() if record is None]
    answer: dict[str, Any] = {
        "status": "COMPLETE",
        "results": [object_body(record, body["properties"]) for record in found.values() if record],
        "startedAt": started,
        "completedAt": stamp(datetime.now(UTC)),
    }
    if not missing:
        return JSONResponse(answer)
    answer["numErrors"] = 1
    answer["errors"] = [_missing(kind, missing)]
    return JSONResponse(answer, status_code=HTTPStatus.MULTI_STATUS)


def checked(kind: ObjectType, properties: object) -> dict[str, str]:
    """The properties to write, as text; 400 for unknown or read-only names and for a malformed address."""
    if not isinstance(properties, Mapping) or not properties:
        refuse("properties must not be empty")
    wanted = {str(name): "" if value is None else str(value) for name, value in properties.items()}
    problems = [
        ("PROPERTY_DOESNT_EXIST", name, f'Property "{name}" does not exist')
        for name in wanted
        if name not in kind.known
    ]
    problems += [
        ("READ_ONLY_VALUE", name, f'"{name}" is a read only property') for name in kind.read_only if name in wanted
    ]
    if kind is CONTACTS and wanted.get("email") and not _EMAIL.fullmatch(wanted["email"]):
        problems.append(("INVALID_EMAIL", "email", "Email address is invalid"))
    if problems:
        refuse_properties(problems)
    if kind is CONTACTS and "email" in wanted:
        wanted["email"] = wanted["email"].lower()
    return wanted


def _links(call: Call, record: Record) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for alias in call.names("associations"):
        other = object_type(alias)
        refs = call.crm.linked(record.ref, other.name, archived=False) if other else []
        if other and refs:
            label = f"{record.kind.singular}_to_{other.singular}"
            answer[other.name] = {"results": [{"id": ref[1], "type": label} for ref in refs]}
    return answer


def _link(call: Call, wanted: Mapping[str, Any]) -> Ref:
    contact = call.crm.find(CONTACTS, str((wanted.get("to") or {}).get("id")))
    if contact is None:
        refuse("associations must name an existing contact")
    return contact.ref


def _missing(kind: ObjectType, ids: list[str]) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": f"Could not get some {kind.singular.upper()} objects, they may be deleted or not exist. "
        "Check that ids are valid.",
        "context": {"ids": ids},
    }
