"""The permanent deletion of a contact: a reply at once, no status to ask for, and repeats that change nothing."""

from http import HTTPStatus

from starlette.responses import Response

from services.sandbox.hubspot.calls import Call
from services.sandbox.hubspot.catalogue import CONTACTS
from services.sandbox.hubspot.replies import not_found, refuse

_EFFECT = "contact.gdpr_delete"


async def gdpr_delete(call: Call) -> Response:
    """POST {root}/gdpr-delete {objectId, idProperty?}: 204, also for an unknown address, which is then blocked."""
    body = await call.json()
    wanted, id_property = body.get("objectId"), body.get("idProperty")
    if not isinstance(wanted, str) or not wanted:
        refuse("objectId is required")
    if id_property not in (None, "hs_object_id", "email"):
        refuse("idProperty must be a unique identifier property")
    if id_property == "email":
        _by_email(call, wanted)
    else:
        _by_id(call, wanted)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _by_id(call: Call, wanted: str) -> None:
    contact = call.crm.find(CONTACTS, wanted) or call.crm.find(CONTACTS, wanted, archived=True)
    if contact:
        person = call.crm.owner(contact)
        if not call.lying:
            call.crm.purge(contact)
        call.note(_EFFECT, wanted, person, changed=not call.lying)
    elif call.crm.was_purged((CONTACTS.name, wanted)):
        call.note(_EFFECT, wanted, None, changed=False)
    else:
        raise not_found()


def _by_email(call: Call, email: str) -> None:
    contact = call.crm.find_by_email(email)
    if contact:
        _by_id(call, contact.id)
    else:
        fresh = not call.lying and call.crm.block(email)
        call.note("email.blocklist", email, email, changed=fresh)
