"""Records of payments and what leads to them: read and listed, and the little that may still be done to them."""

from collections.abc import Callable, Mapping
from typing import Any

from services.sandbox.stripe.books import UNCONFIRMED, Thing
from services.sandbox.stripe.calls import Call
from services.sandbox.stripe.catalogue import (
    CHARGE,
    CREDIT_NOTE,
    CUSTOMER,
    DISPUTE,
    INVOICE,
    INVOICE_ITEM,
    PAYMENT_INTENT,
    SESSION,
    SETUP_INTENT,
    SUBSCRIPTION,
    Kind,
)
from services.sandbox.stripe.listing import PAGING, limit_of, listed
from services.sandbox.stripe.replies import missing, page, refuse
from services.sandbox.stripe.showing import payments_of, shown

Handler = Callable[[Call], dict[str, Any]]
ENDED = ("canceled", "incomplete_expired")

# What each list may be narrowed by, beside its pages.
FILTERS: dict[Kind, tuple[str, ...]] = {
    SUBSCRIPTION: ("customer", "status"),
    INVOICE_ITEM: ("customer", "pending"),
    INVOICE: ("customer", "status", "subscription"),
    CREDIT_NOTE: ("customer", "invoice"),
    PAYMENT_INTENT: ("customer",),
    CHARGE: ("customer", "payment_intent"),
    DISPUTE: ("charge", "payment_intent"),
    SESSION: ("customer", "customer_details", "payment_intent", "status", "subscription"),
    SETUP_INTENT: ("customer", "payment_method"),
}


def reading(kind: Kind) -> Handler:
    """GET /v1/{path}/{id}."""

    def handler(call: Call) -> dict[str, Any]:
        call.only()
        return shown(call, call.thing(kind))

    return handler


def listing(kind: Kind) -> Handler:
    """GET /v1/{path}; a deleted customer's records are listed by its id, an unknown one's refused."""

    def handler(call: Call) -> dict[str, Any]:
        call.only(*FILTERS[kind], *PAGING)
        customer = call.text("customer")
        if customer is not None and call.books.find(CUSTOMER, customer) is None:
            raise missing("customer", customer, param="customer", status=400)
        things = call.books.of_kind(kind) if customer is None else call.books.of_customer(kind, customer)
        return listed(call, (one for one in things if _matches(call, one)))

    return handler


def delete_draft(call: Call) -> dict[str, Any]:
    """DELETE /v1/invoices/{id}: drafts alone; what was finalised stays for good."""
    invoice = call.thing(INVOICE)
    if invoice.body["status"] != "draft":
        refuse("You can only delete draft invoices.", code="invoice_not_editable", param="id")
    return _deleted(call, invoice)


def delete_item(call: Call) -> dict[str, Any]:
    """DELETE /v1/invoiceitems/{id}: as long as no invoice was finalised with it."""
    item = call.thing(INVOICE_ITEM)
    if item.body.get("invoice"):
        refuse("The invoice item is attached to an invoice.", param="id")
    return _deleted(call, item)


def cancel_subscription(call: Call) -> dict[str, Any]:
    """DELETE /v1/subscriptions/{id}: at once; 404 again for one that is canceled, as the vendor does."""
    subscription = call.thing(SUBSCRIPTION)
    if subscription.body["status"] == "canceled":
        raise missing("subscription", subscription.id)
    return _set(call, subscription, "cancel", {"status": "canceled"})


def update_subscription(call: Call) -> dict[str, Any]:
    """POST /v1/subscriptions/{id}: what it says in words; of one that ended, nothing but how it ended."""
    call.only("description", "metadata", "cancellation_details")
    subscription = call.thing(SUBSCRIPTION)
    if subscription.body["status"] in ENDED and set(call.params) - {"cancellation_details"}:
        refuse("A canceled subscription can only update its cancellation_details.")
    values: dict[str, Any] = {}
    for name, value in call.params.items():
        if name == "description":
            values[name] = value or None
        elif name == "metadata":
            merged = {**subscription.body["metadata"], **value} if value else {}
            values[name] = {key: text for key, text in merged.items() if text}
        elif isinstance(value, Mapping):
            values[name] = {key: text or None for key, text in value.items()}
    return _set(call, subscription, "update", values)


def invoice_payments(call: Call) -> dict[str, Any]:
    """GET /v1/invoice_payments?invoice=: what an invoice was paid by, of which the invoice itself shows the first."""
    call.only("invoice", *PAGING)
    wanted = call.text("invoice") or ""
    invoice = call.books.find(INVOICE, wanted)
    if invoice is None:
        raise missing("invoice", wanted, param="invoice", status=400)
    payments, after = payments_of(invoice), call.text("starting_after")
    at = next((n + 1 for n, one in enumerate(payments) if one["id"] == after), 0)
    limit = limit_of(call)
    return page(payments[at : at + limit], call.request.url.path, more=len(payments) > at + limit)


def void(call: Call) -> dict[str, Any]:
    """POST /v1/invoices/{id}/void: an open one becomes void, which is final."""
    invoice = call.thing(INVOICE)
    if invoice.body["status"] != "open":
        refuse("You can only void an open invoice.", code="invoice_not_editable", param="id")
    return _set(call, invoice, "void", {"status": "void"})


def cancel_intent(kind: Kind) -> Handler:
    """POST /v1/payment_intents/{id}/cancel (and setup_intents): what was never confirmed."""

    def handler(call: Call) -> dict[str, Any]:
        intent = call.thing(kind)
        if intent.body["status"] not in UNCONFIRMED:
            refuse("This intent cannot be canceled.", code=f"{kind.name}_unexpected_state", param="intent")
        return _set(call, intent, "cancel", {"status": "canceled"})

    return handler


def expire(call: Call) -> dict[str, Any]:
    """POST /v1/checkout/sessions/{id}/expire: an open one."""
    session = call.thing(SESSION)
    if session.body["status"] != "open":
        refuse("Only Checkout Sessions with a status in [open] can be expired.", param="session")
    return _set(call, session, "expire", {"status": "expired"})


def _deleted(call: Call, thing: Thing) -> dict[str, Any]:
    if not call.lying:
        call.books.delete(thing)
    call.note(f"{thing.kind.name}.delete", thing, changed=not call.lying)
    return {"id": thing.id, "object": thing.kind.name, "deleted": True}


def _set(call: Call, thing: Thing, word: str, values: dict[str, Any]) -> dict[str, Any]:
    changed = not call.lying and call.books.change(thing, values)
    call.note(f"{thing.kind.name}.{word}", thing, changed=changed)
    return {**shown(call, thing), **values}


def _matches(call: Call, thing: Thing) -> bool:
    body = thing.body
    for name in FILTERS[thing.kind]:
        wanted = call.params.get(name)
        if wanted is None or name == "customer":
            continue
        if name == "customer_details":
            email = wanted.get("email") if isinstance(wanted, dict) else None
            if (body.get("customer_details") or {}).get("email") != email:
                return False
        elif name == "pending":
            if (body.get("invoice") is None) != (wanted == "true"):
                return False
        elif not (name == "status" and wanted == "all") and body.get(name) != wanted:
            return False
    # Without `status` the vendor leaves canceled subscriptions out.
    return thing.kind is not SUBSCRIPTION or "status" in call.params or body["status"] != "canceled"
