"""How an object looks to a caller: by version of the API, and with what `expand` asks for."""

from typing import Any

from services.sandbox.stripe.books import Thing
from services.sandbox.stripe.calls import Call
from services.sandbox.stripe.catalogue import CUSTOMER, INVOICE
from services.sandbox.stripe.replies import page

FIRST = 10
"""So many payments an invoice shows itself."""


def shown(call: Call, thing: Thing, place: str = "") -> dict[str, Any]:
    """The object as JSON; a deleted customer is `{id, object, deleted}` and nothing else."""
    if thing.kind is CUSTOMER and thing.deleted:
        return {"id": thing.id, "object": "customer", "deleted": True}
    body = dict(thing.body)
    if thing.kind is INVOICE and call.expands(f"{place}payments"):
        payments = payments_of(thing)
        first = payments[: min(FIRST, call.account.dial.knobs.page_cap or FIRST)]
        body["payments"] = page(first, "/v1/invoice_payments", more=len(payments) > len(first))
    if call.preview:
        body["redaction"] = {"status": "redacted"} if thing.redacted else None
    return body


def payments_of(invoice: Thing) -> list[dict[str, Any]]:
    """What an invoice was paid by, as JSON."""
    return [_invoice_payment(invoice, one) for one in invoice.paid_by]


def _invoice_payment(invoice: Thing, intent: str) -> dict[str, Any]:
    return {
        "id": f"inpay_{intent[3:]}",
        "object": "invoice_payment",
        "invoice": invoice.id,
        "status": "paid" if invoice.body["status"] == "paid" else "open",
        "payment": {"type": "payment_intent", "payment_intent": intent},
    }
