"""How an object looks to a caller: by version of the API, and with what `expand` asks for."""

from typing import Any

from services.sandbox.stripe.books import Thing
from services.sandbox.stripe.calls import Call
from services.sandbox.stripe.catalogue import CUSTOMER, INVOICE


def shown(call: Call, thing: Thing, place: str = "") -> dict[str, Any]:
    """The object as JSON; a deleted customer is `{id, object, deleted}` and nothing else."""
    if thing.kind is CUSTOMER and thing.deleted:
        return {"id": thing.id, "object": "customer", "deleted": True}
    body = dict(thing.body)
    if thing.kind is INVOICE and call.expands(f"{place}payments"):
        payments = [_invoice_payment(thing, one) for one in thing.paid_by]
        body["payments"] = {"object": "list", "data": payments, "has_more": False, "url": "/v1/invoice_payments"}
    if call.preview:
        body["redaction"] = {"status": "redacted"} if thing.redacted else None
    return body


def _invoice_payment(invoice: Thing, intent: str) -> dict[str, Any]:
    return {
        "id": f"inpay_{intent[3:]}",
        "object": "invoice_payment",
        "invoice": invoice.id,
        "status": "paid" if invoice.body["status"] == "paid" else "open",
        "payment": {"type": "payment_intent", "payment_intent": intent},
    }
