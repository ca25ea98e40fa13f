"""Gives invented people their accounts, and tells from the books alone what is left of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.sandbox.people import Person
from services.sandbox.stripe.books import Books, Thing
from services.sandbox.stripe.calls import Stripe
from services.sandbox.stripe.catalogue import (
    CHARGE,
    CREDIT_NOTE,
    CUSTOMER,
    DISPUTE,
    INVOICE,
    INVOICE_ITEM,
    PAYMENT_INTENT,
    PAYMENT_METHOD,
    SESSION,
    SETUP_INTENT,
    SUBSCRIPTION,
    TAX_ID,
)
from services.sandbox.stripe.kinds_of_payer import PAYERS, Bill, Payer

_ADDRESS = {"line1": "1 Fiction Street", "line2": None, "city": "Delft", "postal_code": "2611 AA", "state": None}


@dataclass
class Accounts:
    """Who has what at the payment vendor."""

    stripe: Stripe

    def settle(self, people: Iterable[Person]) -> dict[str, list[str]]:
        """Make every person's accounts; returns the ids of their customers, by customer id."""
        return {person.customer_id: self._customers(person) for person in people}

    def remains(self, person: Person) -> dict[str, int]:
        """What still speaks of a person: `stripe` what should go, `stripe_kept` young records of payments."""
        self.stripe.settle()
        books = self.stripe.books
        there = [one for one in books.of_person(person.customer_id, person.email) if books.speaks(one)]
        kept = sum(1 for one in there if books.kept(one))
        return {"stripe": len(there) - kept, "stripe_kept": kept}

    def phones(self, person: Person) -> list[str]:
        """The telephone numbers of a person's customers, those that were deleted left out."""
        found = self.stripe.books.of_person(person.customer_id, person.email)
        there = [one for one in found if one.kind is CUSTOMER and self.stripe.books.speaks(one)]
        return [one.body["phone"] for one in there if one.body.get("phone")]

    def state(self, person: Person | None, residents: Iterable[Person] = ()) -> list[Any]:
        """All that is held of a person, or of nobody who lives here, for a digest."""
        self.stripe.settle()
        books = self.stripe.books
        if person is not None:
            return _state(books.of_person(person.customer_id, person.email))
        known = {name for one in residents for name in (one.customer_id, one.email)}
        return _state(books.of_person(*sorted(books.owners() - known, key=str)))

    def _customers(self, person: Person) -> list[str]:
        made = []
        for payer in PAYERS[person.payer]:
            maker = _Maker(self.stripe.books, person, payer)
            customer = None if payer.guest else maker.customer()
            for bill in payer.bills:
                maker.bill(bill, customer)
            if payer.begun is not None:
                maker.begin(customer, _days_ago(payer.begun))
            if customer is not None:
                made.append(customer.id)
                if payer.deleted:
                    self.stripe.books.delete_customer(customer)
        return made


class _Maker:
    """Makes one account."""

    def __init__(self, books: Books, person: Person, payer: Payer) -> None:
        self._books, self._person, self._payer = books, person, payer
        self._email = person.email.title() if payer.shouting else person.email
        self._details = {
            "name": person.name,
            "email": self._email,
            "phone": person.phone,
            "address": {**_ADDRESS, "country": "NL"},
        }

    def customer(self) -> Thing:
        """A customer with cards, a subscription, a pending item on its next invoice, perhaps a tax id."""
        payer = self._payer
        metadata = {"customer_id": self._person.customer_id} if payer.known_by_id else {}
        body = {**self._details, "description": None, "shipping": None, "metadata": metadata, "balance": 0}
        customer = self._add(CUSTOMER, body, indexed=True)
        held: dict[str, Any] = {"customer": customer.id, "metadata": {}}
        for _ in range(payer.cards):
            card = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2031}
            self._add(PAYMENT_METHOD, {**held, "type": "card", "card": card, "billing_details": self._details})
        if payer.subscribed:
            self._add(SUBSCRIPTION, {**held, "status": "active", "description": None, "currency": "eur"})
            self._add(INVOICE_ITEM, {**held, "invoice": None, "description": "Extra seat", "amount": 500})
        for status in payer.tales:
            told = {"description": f"For {self._person.name}", "metadata": {"account": self._person.email}}
            self._add(SUBSCRIPTION, {**held, **told, "status": status, "currency": "eur"})
        if payer.tax_id:
            self._add(TAX_ID, {"customer": customer.id, "type": "eu_vat", "value": "NL000000000B00"})
        return customer

    def bill(self, bill: Bill, customer: Thing | None) -> None:
        """An invoice, or a checkout, and what was paid for it."""
        at = _days_ago(bill.days)
        held: dict[str, Any] = {"customer": customer.id if customer else None, "metadata": {}, "currency": "eur"}
        if bill.how == "charge":
            self._charged(bill, held, at, None)
            return
        intents = [self._paid(bill, held, at) for _ in range(bill.parts)] if bill.status == "paid" else []
        if bill.how == "checkout":
            self._session(held, at, status="complete", intent=intents[0] if intents else None)
            return
        invoice = self._invoice(bill, held, at, intents)
        if intents and bill.cents % 1_000 == 500:
            note = {**held, "invoice": invoice.id, "amount": 100, "memo": f"Sorry, {self._person.name}"}
            self._add(CREDIT_NOTE, note, created=at)

    def begin(self, customer: Thing | None, at: datetime) -> None:
        """What was begun and came to nothing: a payment, a card to be saved, an open checkout and an expired one."""
        held: dict[str, Any] = {"customer": customer.id if customer else None, "metadata": {}}
        begun = {**held, "status": "requires_payment_method", "description": f"Order of {self._person.name}"}
        self._add(PAYMENT_INTENT, {**begun, "amount": 900, "currency": "eur", "receipt_email": None}, created=at)
        self._add(SETUP_INTENT, begun, created=at)
        for status in ("open", "expired"):
            self._session(held, at, status=status, intent=None)

    def _session(self, held: Mapping[str, Any], at: datetime, *, status: str, intent: Thing | None) -> None:
        details = {"customer_details": self._details, "customer_email": None, "mode": "payment"}
        links = {"payment_intent": intent.id if intent else None, "invoice": None, "subscription": None}
        self._add(SESSION, {**held, **details, **links, "status": status}, created=at)

    def _paid(self, bill: Bill, held: Mapping[str, Any], at: datetime) -> Thing:
        receipt = None if self._payer.nameless else self._email
        intent = self._add(
            PAYMENT_INTENT,
            {**held, "status": "succeeded", "amount": bill.cents, "receipt_email": receipt, "description": None},
            created=at,
        )
        self._charged(bill, held, at, intent)
        return intent

    def _charged(self, bill: Bill, held: Mapping[str, Any], at: datetime, intent: Thing | None) -> None:
        nameless = self._payer.nameless
        charge = self._add(
            CHARGE,
            {
                **held,
                "status": "succeeded",
                "amount": bill.cents,
                "payment_intent": intent.id if intent else None,
                "billing_details": {**self._details, "email": None} if nameless else self._details,
                "receipt_email": None if nameless else self._email,
                "description": None,
                "disputed": bill.disputed,
                "refunds": {"object": "list", "data": [], "has_more": False, "url": "/v1/refunds"},
            },
            created=at,
        )
        if bill.disputed:
            evidence = {"customer_name": self._person.name, "customer_email_address": self._email}
            dispute = {"charge": charge.id, "payment_intent": charge.body["payment_intent"], "status": "needs_response"}
            self._add(DISPUTE, {**dispute, "evidence": evidence, "metadata": {}}, created=at)

    def _invoice(self, bill: Bill, held: Mapping[str, Any], at: datetime, intents: Sequence[Thing]) -> Thing:
        final = None if bill.status == "draft" else int(at.timestamp())
        details = {f"customer_{name}": value for name, value in self._details.items()}
        body = {
            **held,
            **details,
            "status": bill.status,
            "total": bill.cents,
            "number": None if final is None else f"HAB-{bill.days:05d}",
            "description": None,
            "subscription": None,
            "status_transitions": {"finalized_at": final, "paid_at": final if intents else None},
            "lines": {"object": "list", "data": [{"description": "Plan", "amount": bill.cents}], "has_more": False},
        }
        return self._add(INVOICE, body, created=at, paid_by=[one.id for one in intents])

    def _add(self, kind: Any, body: Mapping[str, Any], **how: Any) -> Thing:
        return self._books.add(kind, body, person=self._person.customer_id, **how)


def _days_ago(days: int) -> datetime:
    return datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=days)


def _state(things: Iterable[Thing]) -> list[Any]:
    return [[one.id, one.body, one.deleted, one.redacted] for one in things]
