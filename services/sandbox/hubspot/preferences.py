"""Communication preferences v4: unsubscribe an address from everything, and ask whether it is."""

from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from services.sandbox.hubspot.calls import Call
from services.sandbox.hubspot.crm import stamp
from services.sandbox.hubspot.replies import refuse


async def unsubscribe_all(call: Call) -> Response:
    """POST /communication-preferences/v4/statuses/{email}/unsubscribe-all?channel=EMAIL."""
    email = _address(call)
    fresh = email not in call.crm.unsubscribed and not call.lying
    if fresh:
        call.crm.unsubscribed[email] = datetime.now(UTC)
    contact = call.crm.find_by_email(email)
    person = call.crm.owner(contact) if contact else email
    call.note("subscription.unsubscribe_all", email, person, changed=fresh)
    return JSONResponse(_answer([_status(email, call.crm.unsubscribed.get(email) or datetime.now(UTC))]))


async def wide_status(call: Call) -> Response:
    """GET on the same path: one result where the address is unsubscribed, none where it is not."""
    email = _address(call)
    at = call.crm.unsubscribed.get(email)
    return JSONResponse(_answer([_status(email, at)] if at else []))


def _address(call: Call) -> str:
    if call.request.query_params.get("channel") != "EMAIL":
        refuse("channel is required and must be EMAIL")
    return str(call.request.path_params["email"]).lower()


def _status(email: str, at: datetime) -> dict[str, Any]:
    return {
        "subscriberIdString": email,
        "channel": "EMAIL",
        "status": "UNSUBSCRIBED",
        "wideStatusType": "PORTAL_WIDE",
        "timestamp": stamp(at),
    }


def _answer(results: list[dict[str, Any]]) -> dict[str, Any]:
    now = stamp(datetime.now(UTC))
    return {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
