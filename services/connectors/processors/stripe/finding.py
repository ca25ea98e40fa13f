"""Finds what Stripe holds on a subject, and reads it again: believed are strong reads alone, never the search index."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence

from habeas.sdk import Identity, IdentityType, Item, Unlisted
from services.connectors.processors.stripe.records import Records, Telling
from services.connectors.processors.stripe.refs import (
    CHARGES,
    CUSTOMER,
    DRAFTS,
    INVOICES,
    RECORDS,
    SUBSCRIPTIONS,
    WITH_CUSTOMER,
    Ref,
    is_draft,
    record,
    ref_of,
)
from services.connectors.processors.stripe.settings import Settings
from services.connectors.processors.stripe.shapes import Thing
from services.connectors.processors.stripe.vendor import Api, Pairs, equals, path_of, together
from services.connectors.processors.stripe.walking import Walk
from services.connectors.processors.stripe.whose import NOBODY, Owners

PAYMENTS = ("expand[]", "data.payments")
MANY = 5
"""So many records of one customer are read again by its lists, which are as many."""

# What the lists of records are: of one customer, of one payment intent, or of the whole account.
RECORD_LISTS = ("invoices", "charges", "payment_intents", "checkout/sessions", "setup_intents")


class Finder:
    """Looks for one subject's things in one account."""

    def __init__(self, api: Api, settings: Settings, identities: Sequence[Identity]) -> None:
        """Take the calls, the settings, and what the subject is known by."""
        self._api = api
        self._settings = settings
        self._owners = Owners(settings.customer_id_key)
        self._identities = identities
        self._walk = Walk(api, self._owners, identities)
        given = [one.value.strip() for one in identities if one.type is IdentityType.EMAIL]
        # Lists compare letters exactly, and addresses are mostly kept in small ones: both spellings are asked for.
        self._emails = list(dict.fromkeys([*given, *(email.lower() for email in given)]))
        self._holders: dict[str, Thing | None] = {}

    async def customers(self) -> AsyncIterator[Item | Identity | Unlisted]:
        """Yield the customers of the subject, and what they name, and nothing that hangs on them."""
        for customer, matched in await self._customers(widely=True):
            for identity in self._owners.named(customer):
                yield identity
            yield Item(customer.id, CUSTOMER, matched)
        for gap in self._customers_not_listed():
            yield gap

    async def located(self, *, strongly: bool = False) -> AsyncIterator[Item | Identity | Unlisted]:
        """Yield everything of the subject; `strongly` leaves out the search and the walk, which only widen the net."""
        customers = await self._customers(widely=not strongly)
        for customer, matched in customers:
            for identity in self._owners.named(customer):
                yield identity
            for item in await self._of_customer(customer, matched):
                yield item
        told = {customer.id for customer, _ in customers}
        async for item in self._checked_out(told):
            yield item
        if not strongly:
            for gap in (*self._customers_not_listed(), *self._orphans_not_listed()):
                yield gap
            if self._settings.orphans == "walk" and self._emails:
                async for item in self._orphans(told):
                    yield item

    async def _checked_out(self, told: set[str]) -> AsyncIterator[Item]:
        """What was bought under the subject's address at a checkout, by guests and customers that are no more."""
        for email in self._emails:
            async for session in self._api.every(path_of("checkout/sessions"), [("customer_details[email]", email)]):
                for item in await self._of_session(session, told):
                    yield item

    def _customers_not_listed(self) -> list[Unlisted]:
        """Return that a customer id can be looked for in no way: by the search alone, or by reading all customers."""
        by_id = any(one.type is IdentityType.CUSTOMER_ID for one in self._identities)
        looked = self._settings.search or self._settings.orphans == "walk"
        return [Unlisted(CUSTOMER, "cannot_be_listed")] if by_id and not looked else []

    def _orphans_not_listed(self) -> list[Unlisted]:
        """Return what no customer and no checkout leads to, unless it is looked for or, by the operator, not there.

        Payments name addresses alone: where none is known there is nothing to look for in them.
        """
        if self._settings.orphans == "none" or (self._settings.orphans == "walk" and self._emails):
            return []
        return [Unlisted(category, "orphans_not_looked_for") for category in (INVOICES, CHARGES)]

    async def again(self, items: Sequence[Item]) -> AsyncIterator[Item]:
        """Yield those of `items` that are still there, each with whose it is now."""
        known = await self.listed(items)
        for item in items:
            ref = ref_of(item)
            holder = await self.holder(ref.customer) if ref.customer else None
            alone = holder is None or holder.deleted or holder.redacted
            if item.category == CUSTOMER or item.category in WITH_CUSTOMER:
                if holder is None or alone:
                    continue
                count = 1 if item.category == CUSTOMER else len(await self.with_customer(holder.id, item.category))
                if count:
                    yield Item(item.ref, item.category, self._owners.now(item, holder, holder), count=count)
                continue
            thing = known.get(ref.id) or await self._api.get(path_of(ref.path, ref.id))
            if thing is None or thing.redacted or (item.category == DRAFTS and not is_draft(thing)):
                continue
            if item.category == SUBSCRIPTIONS and alone and not thing.speaks:
                continue  # it ended with its customer
            beside = await self._beside(ref, known) if alone and not self._names(thing, item) else None
            yield Item(item.ref, item.category, self._owners.now(item, thing, holder, beside), dated=thing.dated)

    async def listed(self, items: Sequence[Item]) -> dict[str, Thing]:
        """Return the records of those customers of whom `items` holds many, and the subscriptions of all.

        Lists take fewer calls than single reads, and never lag.
        """
        many = Counter(ref_of(item).customer for item in items if item.category in RECORDS)
        known: dict[str, Thing] = {}
        for customer, count in many.items():
            if customer and count >= MANY:
                records = await self.records(customer)
                known |= {one.id: one for one in records.all()}
        for customer in {ref_of(item).customer for item in items if item.category == SUBSCRIPTIONS}:
            known |= {one.id: one for one in await self.subscriptions(customer)}
        return known

    def _names(self, thing: Thing, item: Item) -> bool:
        return any(one.type is item.matched.type for one in self._owners.named(thing))

    async def _beside(self, ref: Ref, known: dict[str, Thing]) -> Thing | None:
        """Return the invoice that a record belongs to, or the checkout that it came from."""
        if ref.unit == ref.id:
            return None
        if ref.unit.startswith("in_"):
            return known.get(ref.unit) or await self._api.get(path_of("invoices", ref.unit))
        sold_by = await self._all("checkout/sessions", [("payment_intent", ref.unit)])
        return sold_by[0] if sold_by else None

    async def holder(self, customer: str) -> Thing | None:
        """Return a customer, deleted ones too (`deleted`), each read once."""
        if customer not in self._holders:
            self._holders[customer] = await self._api.get(path_of("customers", customer))
        return self._holders[customer]

    async def with_customer(self, customer: str, category: str) -> list[Thing]:
        """Return the methods, tax ids or balance entries of a customer."""
        return await self._all(f"customers/{customer}/{WITH_CUSTOMER[category]}")

    async def subscriptions(self, customer: str) -> list[Thing]:
        """Return the subscriptions of a customer, deleted or not, and those that ended."""
        return await self._all("subscriptions", [("customer", customer), ("status", "all")])

    async def records(self, customer: str) -> Records:
        """Return the records of payments of a customer, deleted or not."""
        own = ("customer", customer)
        records = Records(*await together(*(self._all(path, [own, *_expanded(path)]) for path in RECORD_LISTS)))
        records.invoices = [await self._with_payments(one) for one in records.invoices]
        return records

    async def _with_payments(self, invoice: Thing) -> Thing:
        """Return an invoice with all that it was paid by: it shows the first of it itself."""
        if not invoice.more_payments:
            return invoice
        paid_by = await self._all("invoice_payments", [("invoice", invoice.id)])
        return invoice.paid_by(one.payment for one in paid_by)

    async def _customers(self, *, widely: bool) -> list[tuple[Thing, Identity]]:
        """Return the subject's live customers, and by which identity each is the subject's."""
        ids: dict[str, None] = {}
        for email in self._emails:
            async for one in self._api.every(path_of("customers"), [("email", email)]):
                self._holders[one.id] = one
                ids[one.id] = None
        if widely and self._settings.search:
            for identity in self._identities:
                ids |= dict.fromkeys(await self._api.search_customers(self._query(identity)))
        elif widely and self._settings.orphans == "walk":
            ids |= {one.id: None for one, _ in await self._walk.through("customers")}
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
        held, left = await together(self._held(customer.id, matched), self._left_behind(customer.id, matched))
        return [Item(customer.id, CUSTOMER, matched), *held, *left]

    async def _held(self, customer: str, matched: Identity) -> list[Item]:
        """Return what hangs on a customer and can not outlive it."""
        held = await together(*(self.with_customer(customer, category) for category in WITH_CUSTOMER))
        counted = zip(WITH_CUSTOMER, map(len, held), strict=True)
        return [Item(customer, category, matched, count=count) for category, count in counted if count]

    async def _left_behind(self, customer: str, matched: Identity, *, gone: bool = False) -> list[Item]:
        """Return what stays when a customer is deleted: drafts, records, and subscriptions, which end."""
        records = await self.records(customer)
        unbilled, ended = await together(
            self._all("invoiceitems", [("customer", customer), ("pending", "true")]), self.subscriptions(customer)
        )
        drafts = [*(one for one in records.invoices if is_draft(one)), *unbilled]
        subscriptions = [one for one in ended if not one.redacted and (one.speaks or not gone)]
        return [
            *(record(one, SUBSCRIPTIONS, matched, customer) for one in subscriptions),
            *(record(one, DRAFTS, matched, customer) for one in drafts),
            *records.items(self._telling(matched)),
        ]

    def _telling(self, otherwise: Identity) -> Telling:
        """Return what says whose a record is: what it names, else what stands beside it, else `otherwise`."""

        def telling(*things: Thing | None) -> Identity:
            matched = self._owners.matched(self._identities, *things)
            return otherwise if matched is NOBODY else matched

        return telling

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
                return await self._left_behind(session.customer, matched, gone=True)
        intent = session.payment_intent
        charges = await self._all("charges", [("payment_intent", intent)]) if intent else []
        return list(Records(charges=charges, sessions=[session]).items(self._telling(matched)))

    async def _orphans(self, told: set[str]) -> AsyncIterator[Item]:
        """Read every invoice and charge of the account for those under the subject's address that nothing led to."""
        lone = Records()
        invoices, charges = await together(self._walk.through("invoices"), self._walk.through("charges"))
        for found, into in ((invoices, lone.invoices), (charges, lone.charges)):
            for thing, matched in found:
                if thing.customer in told:
                    continue
                holder = await self.holder(thing.customer) if thing.customer else None
                if holder is not None and holder.deleted:
                    told.add(holder.id)
                    for item in await self._left_behind(holder.id, matched, gone=True):
                        yield item
                else:
                    into.append(thing)
        lone.invoices = [await self._whole(one) for one in lone.invoices]
        for item in lone.items(self._telling(NOBODY)):
            yield item

    async def _whole(self, invoice: Thing) -> Thing:
        """Return an invoice that was met on the walk with what it was paid by."""
        found = await self._api.get(path_of("invoices", invoice.id), [("expand[]", "payments")])
        return invoice if found is None else await self._with_payments(found)

    async def _all(self, path: str, params: Pairs = ()) -> list[Thing]:
        return [one async for one in self._api.every(path_of(path), params)]


def _expanded(path: str) -> Pairs:
    return [PAYMENTS] if path == "invoices" else []
