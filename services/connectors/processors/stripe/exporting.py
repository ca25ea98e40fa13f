"""Hands over what Stripe holds of each item: the object itself, and what is told with it."""

from collections.abc import AsyncIterator, Sequence

from habeas.sdk import Item, Record
from services.connectors.processors.stripe.finding import PAYMENTS, Finder
from services.connectors.processors.stripe.refs import CHARGES, CUSTOMER, INVOICES, WITH_CUSTOMER, ref_of
from services.connectors.processors.stripe.shapes import Thing
from services.connectors.processors.stripe.vendor import Api, path_of


class Exporter:
    """Exports items of one account."""

    def __init__(self, api: Api, finder: Finder) -> None:
        """Take the calls and what finds things."""
        self._api, self._finder = api, finder

    async def records(self, items: Sequence[Item]) -> AsyncIterator[Record]:
        """Yield the records of `items`: those that hang on an invoice or a charge come with it."""
        for item in items:
            async for thing in self._of(item):
                yield Record(item, thing.raw)

    async def _of(self, item: Item) -> AsyncIterator[Thing]:
        ref = ref_of(item)
        if item.category in WITH_CUSTOMER:  # many things are one item
            for thing in await self._finder.with_customer(ref.customer, item.category):
                yield thing
            return
        path = path_of("customers" if item.category == CUSTOMER else ref.path, ref.id)
        expand = [("expand[]", PAYMENTS[1].removeprefix("data."))] if item.category == INVOICES else []
        found = await self._api.get(path, expand)
        if found is None:
            return
        yield found
        if item.category == INVOICES:
            async for note in self._api.every(path_of("credit_notes"), [("invoice", found.id)]):
                yield note
        if item.category == CHARGES:
            async for thing in self._with_charge(found):
                yield thing

    async def _with_charge(self, charge: Thing) -> AsyncIterator[Thing]:
        """The intent and the checkout of a payment, and disputes about it."""
        intent = charge.payment_intent
        if intent is not None:
            found = await self._api.get(path_of("payment_intents", intent))
            if found is not None:
                yield found
            async for session in self._api.every(path_of("checkout/sessions"), [("payment_intent", intent)]):
                yield session
        if charge.disputed:
            async for dispute in self._api.every(path_of("disputes"), [("charge", charge.id)]):
                yield dispute
