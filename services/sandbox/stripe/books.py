"""What Stripe holds: objects of every kind, what belongs together, and what was deleted or redacted."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any

from services.sandbox.stripe.catalogue import (
    BALANCE,
    CUSTOMER,
    KINDS,
    PAYMENT_METHOD,
    SESSION,
    SUBSCRIPTION,
    TAX_ID,
    Kind,
)
from services.sandbox.stripe.index import SearchIndex

REDACTED = "[redacted]"
KEPT_BY_LAW = timedelta(days=8 * 366)
"""Payments younger than this may be what book-keeping law asks for: seven years, and the rest of the first."""

_UNDER_CUSTOMER = (PAYMENT_METHOD, TAX_ID, BALANCE)
UNCONFIRMED = ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture")
_BEGUN = (*UNCONFIRMED, "draft", "expired", "canceled")


@dataclass
class Thing:
    """One object. `paid_by` are the payment intents of an invoice; `person` whose it was when it was made."""

    kind: Kind
    id: str
    body: dict[str, Any]
    created: datetime
    person: str | None
    paid_by: tuple[str, ...] = ()
    deleted: bool = False
    redacted: bool = False

    @property
    def customer(self) -> str | None:
        """The id of the customer that it hangs on."""
        return self.body.get("customer")

    def links(self) -> set[str]:
        """The ids of what it belongs together with, the customer aside."""
        names = ("payment_intent", "invoice", "charge")
        return {self.body[name] for name in names if self.body.get(name)} | set(self.paid_by)


@dataclass
class Books:
    """Everything of one account. Used from the event loop's thread alone."""

    things: dict[str, Thing] = field(default_factory=dict)
    index: SearchIndex = field(default_factory=SearchIndex)
    _by_kind: dict[str, dict[str, Thing]] = field(default_factory=lambda: {kind.name: {} for kind in KINDS})
    _of_customer: dict[str, dict[str, Thing]] = field(default_factory=dict)
    _of_person: dict[str | None, list[Thing]] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def add(
        self,
        kind: Kind,
        body: Mapping[str, Any],
        *,
        person: str | None = None,
        created: datetime | None = None,
        paid_by: Iterable[str] = (),
        indexed: bool = False,
    ) -> Thing:
        """Put an object in. Without `person` it is the customer's, or of whoever its e-mail address names."""
        at = (created or datetime.now(UTC)).replace(microsecond=0)
        thing_id = f"{kind.prefix}_{sha256(f'{kind.prefix}{next(self._ids)}'.encode()).hexdigest()[:14]}"
        head = {"id": thing_id, "object": kind.name, "created": int(at.timestamp()), "livemode": False}
        thing = Thing(kind, thing_id, {**head, **body}, at, person, tuple(paid_by))
        thing.person = person or self._owner(thing)
        self.things[thing.id] = self._by_kind[kind.name][thing.id] = thing
        self._of_person.setdefault(thing.person, []).append(thing)
        if thing.customer:
            self._of_customer.setdefault(thing.customer, {})[thing.id] = thing
        if kind is CUSTOMER:
            self.index.put(thing.id, thing.body, at_once=indexed)
        return thing

    def find(self, kind: Kind, thing_id: str) -> Thing | None:
        """The object with this id; deleted customers too, for the vendor answers for them."""
        thing = self._by_kind[kind.name].get(thing_id)
        return thing if thing and (kind is CUSTOMER or not thing.deleted) else None

    def of_kind(self, kind: Kind) -> Iterator[Thing]:
        """All that lists show, newest first."""
        return (one for one in reversed(self._by_kind[kind.name].values()) if not one.deleted)

    def of_customer(self, kind: Kind, customer: str) -> Iterator[Thing]:
        """What hangs on a customer, deleted or not, newest first."""
        there = reversed(self._of_customer.get(customer, {}).values())
        return (one for one in there if one.kind is kind and not one.deleted)

    def change(self, thing: Thing, values: Mapping[str, Any]) -> bool:
        """Set values; False where nothing was different."""
        before = dict(thing.body)
        thing.body.update(values)
        if thing.kind is CUSTOMER:
            self.index.put(thing.id, thing.body)
        return thing.body != before

    def delete_customer(self, customer: Thing) -> list[Thing]:
        """Delete a customer with methods and tax ids, and cancel its subscriptions; returns what changed.

        Invoices, charges and all other records of payments stay, and can still be listed by the customer's id.
        """
        changed = [customer]
        for one in self._of_customer.get(customer.id, {}).values():
            if one.kind in _UNDER_CUSTOMER and not one.deleted:
                one.deleted = True
                changed.append(one)
            elif one.kind is SUBSCRIPTION and one.body["status"] != "canceled":
                self.change(one, {"status": "canceled"})
                changed.append(one)
        customer.deleted = True
        self.index.put(customer.id, None)
        return changed

    def delete(self, thing: Thing) -> None:
        """Take an object that the vendor lets go: a draft, a pending item."""
        thing.deleted = True

    def related(self, root: Thing) -> list[Thing]:
        """What redaction takes along: all of a customer's, or everything about one payment."""
        if root.kind is CUSTOMER:
            return [one for one in self._of_customer.get(root.id, {}).values() if not one.deleted]
        near = list(self._of_customer.get(root.customer, {}).values()) if root.customer else list(self.things.values())
        found: dict[str, Thing] = {root.id: root}
        fresh = [root]
        while fresh:
            ids, wanted = {one.id for one in fresh}, {link for one in fresh for link in one.links()}
            fresh = [one for one in near if one.id not in found and (one.id in wanted or one.links() & ids)]
            found |= {one.id: one for one in fresh}
        return [one for one in found.values() if one is not root and not one.deleted]

    def redact(self, thing: Thing) -> bool:
        """Empty what speaks of a person; False where that was done before."""
        if thing.redacted:
            return False
        thing.redacted = True
        for name in thing.kind.personal:
            if name in thing.body:
                thing.body[name] = {} if name == "metadata" else _emptied(thing.body[name])
        if thing.kind is CUSTOMER:
            self.index.put(thing.id, thing.body)
        return True

    def of_person(self, *names: str | None) -> list[Thing]:
        """What was made for a person who goes by these names (customer id, addresses), in order of creation."""
        return [one for name in dict.fromkeys(names) for one in self._of_person.get(name, ())]

    def owners(self) -> set[str | None]:
        """The names under which something was made."""
        return set(self._of_person)

    def speaks(self, thing: Thing) -> bool:
        """Whether an object says anything of a person: a subscription without its customer by its own words alone."""
        if thing.deleted or thing.redacted:
            return False
        holder = self.things.get(thing.customer or "")
        alone = thing.kind is SUBSCRIPTION and (holder is None or holder.deleted)
        return not alone or any(_says(thing.body.get(name)) for name in thing.kind.personal)

    def kept(self, thing: Thing) -> bool:
        """Whether law lets the controller keep it: a record of a payment, young enough, and not of a mere beginning."""
        young = datetime.now(UTC) - thing.created < KEPT_BY_LAW
        begun = thing.body.get("status") in _BEGUN or (thing.kind is SESSION and thing.body["status"] == "open")
        return thing.kind.transaction and young and not begun

    def clear(self) -> None:
        """Forget everything but which ids were used."""
        self.things.clear()
        self._of_customer.clear()
        self._of_person.clear()
        for part in self._by_kind.values():
            part.clear()
        self.index.clear()

    def _owner(self, thing: Thing) -> str | None:
        holder = self.things.get(thing.customer or "")
        if holder is not None:
            return holder.person
        body = thing.body
        details = body.get("customer_details") or body.get("billing_details") or {}
        named = (body.get("metadata") or {}).get("customer_id")
        return named or body.get("email") or details.get("email") or body.get("receipt_email")


def _says(value: object) -> bool:
    return any(map(_says, value.values())) if isinstance(value, dict) else bool(value)


def _emptied(value: object) -> object:
    if isinstance(value, dict):
        return {name: _emptied(one) for name, one in value.items()}
    return REDACTED if isinstance(value, str) else None
