"""Reads and writes the fields of a customer that a subject may have corrected."""

from collections.abc import Mapping, Sequence

from habeas.sdk import Change, Context, Disposition, Item, Result, Values
from services.connectors.processors.stripe.refs import ref_of
from services.connectors.processors.stripe.shapes import Thing
from services.connectors.processors.stripe.vendor import Api, RefusedError, path_of

ADDRESS = "address."
# By register key, as the manifest has it: a customer's own field, or a part of its address.
FIELDS: Mapping[str, str] = {
    "contact.email": "email",
    "contact.name": "name",
    "contact.phone": "phone",
    **{f"billing.{part}": ADDRESS + part for part in ("line1", "line2", "city", "postal_code", "state", "country")},
}


async def values(api: Api, items: Sequence[Item], fields: Sequence[str]) -> list[Values]:
    """Return what customers hold in `fields`; one that is gone is left out."""
    found = []
    for item in items:
        customer = await api.get(path_of("customers", ref_of(item).id))
        if customer is not None and not customer.deleted:
            found.append(Values(item, {field: _held(customer, FIELDS[field]) for field in fields if field in FIELDS}))
    return found


async def rectified(ctx: Context, api: Api, change: Change) -> Result:
    """Write one customer's corrections in one call."""
    path = path_of("customers", ref_of(change.item).id)
    new = {FIELDS[one.field]: one.new for one in change.corrections}
    form = [(name, value) for name, value in new.items() if not name.startswith(ADDRESS)]
    if any(name.startswith(ADDRESS) for name in new):
        customer = await api.get(path)
        form += _whole_address(customer, new)
    step = "rectify:" + ",".join(sorted(one.field for one in change.corrections))
    try:
        answer = await api.post(path, form, ctx.key(step, change.item))
    except RefusedError as refusal:
        return Result(change.item, Disposition.REFUSED, note=refusal.code)
    return Result(change.item, Disposition.RECTIFIED if answer.status == 200 else Disposition.NOT_FOUND)


def _whole_address(customer: Thing | None, new: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the address with the corrections in it: Stripe replaces an address as a whole."""
    held = {f"{ADDRESS}{part}": value for part, value in ((customer.address or {}) if customer else {}).items()}
    merged = {**held, **{name: value for name, value in new.items() if name.startswith(ADDRESS)}}
    return [(f"address[{name.removeprefix(ADDRESS)}]", value) for name, value in merged.items() if value is not None]


def _held(customer: Thing, name: str) -> str | None:
    if name.startswith(ADDRESS):
        return (customer.address or {}).get(name.removeprefix(ADDRESS)) or None
    return {"email": customer.email, "name": customer.name, "phone": customer.phone}[name] or None
