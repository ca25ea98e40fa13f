"""Customers: create, read, change, delete, list by exact address, search."""

from collections.abc import Mapping
from re import fullmatch
from typing import Any

from services.sandbox.stripe.books import Thing
from services.sandbox.stripe.calls import Call
from services.sandbox.stripe.catalogue import CUSTOMER, Kind
from services.sandbox.stripe.index import BadQueryError
from services.sandbox.stripe.listing import PAGING, limit_of, listed
from services.sandbox.stripe.replies import refuse
from services.sandbox.stripe.showing import shown

WRITABLE = ("name", "email", "phone", "description", "address", "shipping", "metadata")
ADDRESS = ("line1", "line2", "city", "postal_code", "state", "country")
_EMPTY: dict[str, Any] = {**dict.fromkeys(WRITABLE), "metadata": {}, "balance": 0, "currency": None}


def read(call: Call) -> dict[str, Any]:
    """GET /v1/customers/{id}: 200 for a deleted one too."""
    call.only()
    return shown(call, call.thing(CUSTOMER))


def create(call: Call) -> dict[str, Any]:
    """POST /v1/customers."""
    call.only(*WRITABLE)
    customer = call.books.add(CUSTOMER, {**_EMPTY, **_values(call)})
    call.note("customer.create", customer, changed=True)
    return shown(call, customer)


def update(call: Call) -> dict[str, Any]:
    """POST /v1/customers/{id}: an empty text clears; an address is replaced as a whole; metadata keys one by one."""
    call.only(*WRITABLE)
    customer = call.customer()
    values = _values(call)
    if "metadata" in values:
        merged = {**customer.body["metadata"], **values["metadata"]}
        values["metadata"] = {name: value for name, value in merged.items() if value}
    if customer.redacted:
        refuse("This customer was redacted and cannot be updated.", param="id")
    changed = not call.lying and call.books.change(customer, values)
    call.note("customer.update", customer, changed=changed)
    return {**shown(call, customer), **values}


def delete(call: Call) -> dict[str, Any]:
    """DELETE /v1/customers/{id}: again for a deleted one 404. Each thing that goes along is an effect of its own."""
    customer = call.customer()
    if call.lying:
        call.note("customer.delete", customer, changed=False)
    else:
        for one in call.books.delete_customer(customer):
            call.note(f"{one.kind.name}.{_done(one)}", one, changed=True)
    return {"id": customer.id, "object": "customer", "deleted": True}


def listing(call: Call) -> dict[str, Any]:
    """GET /v1/customers?email=: exact and case-sensitive, never a deleted one."""
    call.only("email", *PAGING)
    email = call.text("email")
    return listed(call, (one for one in call.books.of_kind(CUSTOMER) if email in (None, one.body["email"])))


def search(call: Call) -> dict[str, Any]:
    """GET /v1/customers/search?query=: an index that learns late, by `page` and `next_page`."""
    call.only("query", "limit", "page")
    try:
        found = call.books.index.found(call.text("query") or "", call.account.dial.knobs.search_lag)
    except BadQueryError:
        refuse("We were unable to parse your search query.", param="query")
    start, limit = call.text("page") or "0", limit_of(call)
    if not start.isdigit():
        refuse("Invalid page: use `next_page` of the page before", param="page")
    chosen = found[int(start) : int(start) + limit]
    more = len(found) > int(start) + limit
    after = str(int(start) + limit) if more else None
    return {
        "object": "search_result",
        "data": chosen,
        "has_more": more,
        "next_page": after,
        "url": "/v1/customers/search",
    }


def under(kind: Kind) -> Any:
    """GET /v1/customers/{id}/payment_methods and its like: 404 for a deleted customer."""

    def handler(call: Call) -> dict[str, Any]:
        call.only("type", *PAGING)
        customer = call.customer()
        return listed(call, call.books.of_customer(kind, customer.id))

    return handler


def _done(thing: Thing) -> str:
    return {"customer": "delete", "payment_method": "detach", "subscription": "cancel"}.get(thing.kind.name, "delete")


def _values(call: Call) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in call.params.items():
        if name == "expand":
            continue
        nested = name in ("address", "shipping", "metadata")
        if nested and value != "" and not isinstance(value, Mapping):
            refuse(f"Invalid object: {name}", param=name)
        if not nested and not isinstance(value, str):
            refuse(f"Invalid string: {name}", param=name)
        values[name] = dict(value) if isinstance(value, Mapping) else (value or None)
    if values.get("email") and not fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", values["email"]):
        refuse(f"Invalid email address: {values['email']}", code="email_invalid", param="email")
    if values.get("address"):
        values["address"] = {part: values["address"].get(part) or None for part in ADDRESS}
    if "metadata" in values:
        values["metadata"] = values["metadata"] or {}
    return values
