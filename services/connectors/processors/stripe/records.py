"""Records of payments as they hang together: invoices, charges, and what led to them or to nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from habeas.sdk import Identity, Item
from services.connectors.processors.stripe.refs import ATTEMPTS, CHARGES, INVOICES, is_draft, record
from services.connectors.processors.stripe.shapes import Thing

# Says by which identity a record is somebody's; things beside it tell that where it names nobody itself.
Telling = Callable[..., Identity]


@dataclass
class Records:
    """Records of payments."""

    invoices: list[Thing] = field(default_factory=list)
    charges: list[Thing] = field(default_factory=list)
    intents: list[Thing] = field(default_factory=list)
    sessions: list[Thing] = field(default_factory=list)
    setups: list[Thing] = field(default_factory=list)

    def all(self) -> Iterator[Thing]:
        """Yield every record."""
        return chain(self.invoices, self.charges, self.intents, self.sessions, self.setups)

    def items(self, telling: Telling) -> Iterator[Item]:
        """Yield an item for each invoice and charge, and for what led to none.

        A payment's intent and its checkout are told and kept with its charge: they are no items of their own.
        """
        paid_for = {intent: invoice for invoice in self.invoices for intent in invoice.intents}
        sold_by = {session.payment_intent: session for session in self.sessions if session.payment_intent}
        for invoice in self.invoices:
            if not (invoice.redacted or is_draft(invoice)):
                yield record(invoice, INVOICES, telling(invoice), invoice.id)
        for charge in self.charges:
            if not charge.redacted:
                intent = charge.payment_intent or charge.id
                paid = paid_for.get(intent)
                matched = telling(charge, paid, sold_by.get(intent))
                yield record(charge, CHARGES, matched, intent if paid is None else paid.id)
        yield from self._led_to_nothing(telling, {*paid_for, *(one.payment_intent for one in self.charges)} - {None})

    def _led_to_nothing(self, telling: Telling, done: set[str | None]) -> Iterator[Item]:
        """Yield what led to none of the intents that are `done` with."""
        billed = {invoice.id for invoice in self.invoices}
        for thing in (*self.intents, *self.setups):
            if thing.id not in done and not thing.redacted:
                yield record(thing, ATTEMPTS, telling(thing), thing.id)
        for session in self.sessions:
            told = session.payment_intent in done or session.invoice in billed
            if not (told or session.redacted):
                yield record(session, ATTEMPTS, telling(session), session.payment_intent or session.id)
