"""One Stripe account, as Habeas knows it."""

from collections.abc import AsyncIterator, Sequence

from habeas.sdk import (
    Action,
    Change,
    Context,
    Identity,
    Item,
    Processor,
    Record,
    Result,
    Results,
    Unlisted,
    Values,
    Wait,
)
from services.connectors.processors.stripe.erasing import Eraser
from services.connectors.processors.stripe.exporting import Exporter
from services.connectors.processors.stripe.finding import Finder
from services.connectors.processors.stripe.rectifying import rectified, values
from services.connectors.processors.stripe.redacting import Redaction
from services.connectors.processors.stripe.refs import ref_of
from services.connectors.processors.stripe.settings import Settings
from services.connectors.processors.stripe.vendor import Api, path_of


class Stripe(Processor[Settings]):
    """One Stripe account.

    An item is a customer, all of its payment methods, tax ids or balance entries (`ref` = the customer's id), a
    subscription, a draft or pending item, an invoice, a charge (with its intent and checkout), or something begun that
    never became a charge. What hangs on a customer goes with it, subscriptions end; records of payments stay, and are
    redacted if at all.
    """

    Config = Settings

    async def check(self, ctx: Context) -> None:
        """Read one customer."""
        await self._api().call("GET", path_of("customers"), params=[("limit", "1")])

    async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity | Unlisted]:
        """List by address, search for what lists can not find, and believe strong reads only.

        Customers alone tell who somebody is, and have fields to correct: for that nothing else is looked for.
        """
        finder = self._finder(ctx)
        alone = ctx.task.action in (Action.RESOLVE, Action.RECTIFY)
        async for found in finder.customers() if alone else finder.located():
            yield found

    async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        """Read every object again by its id; of a customer that is gone only what can outlive it, and still speaks."""
        async for item in self._finder(ctx).again(items):
            yield item

    async def verify(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        """Read the items again, and list by address and checkout: the search index would tell of what is gone."""
        finder = self._finder(ctx)
        async for item in finder.again(items):
            yield item
        async for found in finder.located(strongly=True):
            if isinstance(found, Item):
                yield found

    async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record]:
        """Yield objects as Stripe sends them."""
        async for record in Exporter(self._api(), self._finder(ctx)).records(items):
            yield record

    def taken_with(self, item: Item) -> str:
        """A customer takes along what hangs on it; an invoice and its charges are redacted together."""
        return ref_of(item).unit

    async def erase(self, ctx: Context, items: Sequence[Item]) -> Results:
        """Delete what can be deleted; redact the rest where that is configured, else say that it stays."""
        return await self._eraser(ctx).erase(items)

    async def look_up(self, ctx: Context, items: Sequence[Item]) -> Results | None:
        """Look for a redaction job over these items whose id never reached us."""
        return await self._eraser(ctx).look_up(items)

    async def resume(self, ctx: Context, wait: Wait, answer: bytes | None = None) -> Results:
        """Push the redaction job on, or tell what came of it."""
        return await self._eraser(ctx).resume(wait)

    async def read(self, ctx: Context, items: Sequence[Item], fields: Sequence[str]) -> AsyncIterator[Values]:
        """Read customers by their ids."""
        for held in await values(self._api(), items, fields):
            yield held

    async def rectify(self, ctx: Context, changes: Sequence[Change]) -> list[Result]:
        """Write to customers; invoices that were finalised keep what they said then."""
        return [await rectified(ctx, self._api(), change) for change in changes]

    def _api(self) -> Api:
        """Where redaction is on, every call names the preview: only there objects say that they were redacted."""
        version = self.config.redaction_version if self.config.redaction else self.config.version
        return Api(self.http, key=self.config.key.get_secret_value(), version=version)

    def _finder(self, ctx: Context) -> Finder:
        return Finder(self._api(), self.config, ctx.identities)

    def _eraser(self, ctx: Context) -> Eraser:
        api = self._api()
        redaction = Redaction(api) if self.config.redaction else None
        return Eraser(ctx, api, self._finder(ctx), redaction, poll=self.config.poll_seconds)
