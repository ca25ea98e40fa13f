"""Associations v4: what hangs on a record, page by page, and taking one away."""

from http import HTTPStatus

from starlette.responses import JSONResponse, Response

from services.sandbox.hubspot.calls import Call
from services.sandbox.hubspot.catalogue import association_number
from services.sandbox.hubspot.replies import page

PAGE_LIMIT = 500


async def associations(call: Call) -> Response:
    """GET .../{id}/associations/{to}?limit&after: 500 a page; ids are numbers here, text everywhere else."""
    record, other = call.record(), call.kind("to")
    offset, limit = call.window(PAGE_LIMIT, PAGE_LIMIT)
    refs = sorted(call.crm.linked(record.ref, other.name, archived=False), key=lambda ref: int(ref[1]))
    rest = [ref for ref in refs if int(ref[1]) > offset]
    chosen = rest[:limit]
    number = association_number(record.kind.name, other.name)
    kinds = [{"category": "HUBSPOT_DEFINED", "typeId": number, "label": None}]
    results = [{"toObjectId": int(ref[1]), "associationTypes": kinds} for ref in chosen]
    after = chosen[-1][1] if len(rest) > limit else None
    link = str(call.request.url.include_query_params(after=after)) if after else None
    return JSONResponse(page(results, after, link))


async def dissociate(call: Call) -> Response:
    """DELETE .../{id}/associations/{to}/{to_id}: 204, also where there was nothing to take away."""
    record, other = call.record(), call.kind("to")
    target = (other.name, call.request.path_params["to_id"])
    person = call.crm.owner(record)
    changed = not call.lying and call.crm.unlink(record.ref, target)
    call.note("association.remove", f"{record.id}/{target[1]}", person, changed=changed)
    return Response(status_code=HTTPStatus.NO_CONTENT)
