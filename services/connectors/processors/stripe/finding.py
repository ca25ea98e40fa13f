"""Finds what Stripe holds on a subject, and reads it again: believed are strong reads alone, never the search index."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from habeas.sdk import Identity, IdentityType, Item, Unlisted
from services.connectors.processors.stripe.refs import (
    ATTEMPTS,
    CHARGES,
    CUSTOMER,
    DRAFTS,
    INVOICES,
    RECORDS,
    SUBSCRIPTIONS,
    WITH_CUSTOMER,
    is_draft,
    record,
    ref_of,
)
from services.connectors.processors.stripe.settings import Settings
from services.connectors.processors.stripe.shapes import Thing
from services.connectors.processors.stripe.vendor import Api, Pairs, equals, path_of
from services.connectors.processors.stripe.whose import NOBODY, Owners

PAYMENTS = ("expand[]", "data.payments")
MANY = 5
"""So many records of one customer are read again by its lists, which are as many."""

# What the lists of records are: of one customer, of one payment intent, or of the whole account.
RECORD_LISTS = ("invoices", "charges", "payment_intents", "checkout/sessions", "setup_intents")


@dataclass
class Records:
    """Records of payments, as they hang together."""

    invoices: list[Thing] = field(default_factory=list)
    charges: list[Thing] = field(default_factory=list)
    intents: list[Thing] = field(default_factory=list)
    sessions: list[Thing] = field(default_factory=list)
    setups: list[Thing] = field(default_factory=list)

    def all(self) -> Iterator[Thing]:
        """Yield every record."""
        return chain(self.invoices, self.charges, self.intents, self.sessions, self.setups)

    def items(self, matched: Identity) -> Iterator[Item]:
        """Yield an item for each invoice and charge, and for what led to none.

        A payment's intent and its checkout are told and kept with its charge: they are no items of their own.
        """
        paid_for = {intent: invoice.id for invoice in self.invoices for intent in invoice.intents}
        for invoice in self.invoices:
            if not (invoice.redacted or is_draft(invoice)):
                yield record(invoice, INVOICES, matched, invoice.id)
        for charge in self.charges:
            if not charge.redacted:
                intent = charge.payment_intent or charge.id
                yield record(charge, CHARGES, matched, paid_for.get(intent, intent))
        done = {*paid_for, *(charge.payment_intent for charge in self.charges)}
        billed = {invoice.id for invoice in self.invoices}
        for thing in (*self.intents, *self.setups):
            if thing.id not in done and not thing.redacted:
                yield record(thing, ATTEMPTS, matched, thing.id)
        for session in self.sessions:
            told = session.payment_intent in done or session.invoice in billed
            if not (told or session.redacted):
                yield record(session, ATTEMPTS, matched, session.payment_intent or session.id)


class Finder:
    """Looks for one subject's things in one account."""

    def __init__(self, api: Api, settings: Settings, identities: Sequence[Identity]) -> None:
        """Take the calls, the settings, and what the subject is known by."""
        self._api = api
        self._settings = settings
        self._owners = Owners(settings.customer_id_key)
        self._identities = identities
        given = [one.value.strip() for one in identities if one.type is IdentityType.EMAIL]
        # Lists compare letters exactly, and addresses are mostly kept in small ones: both spellings are asked for.
        self._emails = list(dict.fromkeys([*given, *(email.lower() for email in given)]))
        self._holders: dict[str, Thing | None] = {}

    async def located(self, *, strongly: bool = False) -> AsyncIterator[Item | Identity | Unlisted]:
        """Yield everything of the subject; `strongly` leaves out the search and the walk, which only widen the net."""
        customers = await self._customers(search=self._settings.search and not strongly)
        for customer, matched in customers:
            for identity in self._owners.named(customer):
                yield identity
            for item in await self._of_customer(customer, matched):
                yield item
        told = {customer.id for customer, _ in customers}
        async for item in self._checked_out(told):
            yield item
        if self._emails and not strongly:
            async for thing in self._orphans(told):
                yield thing

    async def _checked_out(self, told: set[str]) -> AsyncIterator[Item]:
        """What was bought under the subject's address at a checkout, by guests and customers that are no more."""
        for email in self._emails:
            async for session in self._api.every(path_of("checkout/sessions"), [("customer_details[email]", email)]):
                for item in await self._of_session(session, told):
                    yield item

    async def _orphans(self, told: set[str]) -> AsyncIterator[Item | Unlisted]:
        """What no customer and no checkout leads to, as far as the settings let us look for it."""
        if self._settings.orphans == "walk":
            async for item in self._walked(told):
                yield item
        elif self._settings.orphans == "report":
            for category in (INVOICES, CHARGES):
                yield Unlisted(category, "orphans_not_looked_for")

    async def again(self, items: Sequence[Item]) -> AsyncIterator[Item]:
        """Yield those of `items` that are still there, each with whose it is now."""
        known = await self.listed(items)
        for item in items:
            ref = ref_of(item)
            holder = await self.holder(ref.customer) if ref.customer else None
            if item.category == CUSTOMER or item.category in WITH_CUSTOMER:
                if holder is None or holder.deleted or holder.redacted:
                    continue
                count = 1 if item.category == CUSTOMER else len(await self.with_customer(holder.id, item.category))
                if count:
                    yield Item(item.ref, item.category, self._owners.now(item, holder, holder), count=count)
                continue
            thing = known.get(ref.id) or await self._api.get(path_of(ref.path, ref.id))
            if thing is None or thing.redacted or (item.category == DRAFTS and not is_draft(thing)):
                continue
            yield Item(item.ref, item.category, self._owners.now(item, thing, holder), dated=thing.dated)

    async def listed(self, items: Sequence[Item]) -> dict[str, Thing]:
        """Return the records of those customers of whom `items` holds many: lists take fewer calls, and never lag."""
        many = Counter(ref_of(item).customer for item in items if item.category in RECORDS)
        known: dict[str, Thing] = {}
        for customer, count in many.items():
            if customer and count >= MANY:
                records = await self.records(customer)
                known |= {one.id: one for one in records.all()}
        return known

    async def holder(self, customer: str) -> Thing | None:
        """Return a customer, deleted ones too (`deleted`), each read once."""
        if customer not in self._holders:
            self._holders[customer] = await self._api.get(path_of("customers", customer))
        return self._holders[customer]

    async def with_customer(self, customer: str, category: str) -> list[Thing]:
        """Return the methods, tax ids, balance entries or subscriptions of a customer."""
        if category == SUBSCRIPTIONS:
            return await self._all("subscriptions", [("customer", customer), ("status", "all")])
        return await self._all(f"customers/{customer}/{WITH_CUSTOMER[category]}")

    async def records(self, customer: str) -> Records:
        """Return the records of payments of a customer, deleted or not."""
        own = ("customer", customer)
        lists = [self._all(path, [own, *([PAYMENTS] if path == "invoices" else [])]) for path in RECORD_LISTS]
        return Records(*await asyncio.gather(*lists))

    async def _customers(self, *, search: bool) -> list[tuple[Thing, Identity]]:
        """Return the subject's live customers, and by which identity each is the subject's."""
        ids: dict[str, None] = {}
        for email in self._emails:
            ids |= dict.fromkeys([one.id async for one in self._api.every(path_of("customers"), [("email", email)])])
        for identity in self._identities if search else ():
            ids |= dict.fromkeys(await self._api.search_customers(self._query(identity)))
        found = []
        for customer_id in ids:
            customer = await self.holder(customer_id)
            matched = self._owners.matched(self._identities, customer)
            if customer is not None and matched is not NOBODY:
                found.append((customer, matched))
        return found

    def _query(self, identity: Identity) -> str:
        field = "email" if identity.type is IdentityType.EMAIL else f'metadata["{self._settings.customer_id_key}"]'
        return equals(field, identity.value)

    async def _of_customer(self, customer: Thing, matched: Identity) -> list[Item]:
        lists = [self.with_customer(customer.id, category) for category in WITH_CUSTOMER]
        left, held = await asyncio.gather(self._left_behind(customer.id, matched), asyncio.gather(*lists))
        items = [Item(customer.id, CUSTOMER, matched)]
        for category, things in zip(WITH_CUSTOMER, held, strict=True):
            if things:
                items.append(Item(customer.id, category, matched, count=len(things)))
        return items + left

    async def _left_behind(self, customer: str, matched: Identity) -> list[Item]:
        """Return what stays when a customer is deleted: drafts and records."""
        pending = self._all("invoiceitems", [("customer", customer), ("pending", "true")])
        records, unbilled = await asyncio.gather(self.records(customer), pending)
        drafts = [*(one for one in records.invoices if is_draft(one)), *unbilled]
        return [*(record(one, DRAFTS, matched, customer) for one in drafts), *records.items(matched)]

    async def _of_session(self, session: Thing, told: set[str]) -> list[Item]:
        """Return what a checkout under the subject's address led to, unless a customer told of it already."""
        if session.customer in told:
            return []
        matched = self._owners.matched(self._identities, session)
        if matched is NOBODY:
            return []
        if session.customer:
            holder = await self.holder(session.customer)
            if holder is not None and holder.deleted:
                told.add(session.customer)
                return await self._left_behind(session.customer, matched)
        intent = session.payment_intent
        charges = await self._all("charges", [("payment_intent", intent)]) if intent else []
        return list(Records(charges=charges, sessions=[session]).items(matched))

    async def _walked(self, told: set[str]) -> AsyncIterator[Item]:
        """Read every invoice and charge of the account for those under the subject's address that nothing led to."""
        lone = Records()
        for path, into in (("invoices", lone.invoices), ("charges", lone.charges)):
            async for thing in self._api.every(path_of(path), [PAYMENTS] if path == "invoices" else []):
                matched = self._owners.matched(self._identities, thing)
                if matched is NOBODY or thing.customer in told:
                    continue
                holder = await self.holder(thing.customer) if thing.customer else None
                if holder is not None and holder.deleted:
                    told.add(holder.id)
                    for item in await self._left_behind(holder.id, matched):
                        yield item
                else:
                    into.append(thing)
        for item in lone.items(NOBODY):
            thing = next(one for one in (*lone.invoices, *lone.charges) if one.id == ref_of(item).id)
            yield Item(item.ref, item.category, self._owners.matched(self._identities, thing), dated=item.dated)

    async def _all(self, path: str, params: Pairs = ()) -> list[Thing]:
        return [one async for one in self._api.every(path_of(path), params)]
