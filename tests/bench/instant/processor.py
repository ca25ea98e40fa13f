"""Answers at once: locate finds one item, erase says that it is gone, verify sees nothing."""

from collections.abc import AsyncIterator, Sequence

from pydantic import BaseModel

from habeas.sdk import Context, Disposition, Item, Processor, Result, Results


class Settings(BaseModel):
    """What an operator supplies."""

    label: str = ""


class Instant(Processor[Settings]):
    """What is left to measure is everything around the vendor."""

    Config = Settings

    async def check(self, ctx: Context) -> None:
        """Reach nothing."""

    async def locate(self, ctx: Context) -> AsyncIterator[Item]:
        """Find one contact by the first identity."""
        identity = ctx.identities[0]
        yield Item(ref=identity.value, category="contact", matched=identity)

    async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        """See every item as it was found."""
        for item in items:
            yield item

    async def erase(self, ctx: Context, items: Sequence[Item]) -> Results:
        """Say that each is gone."""
        return [Result(item, Disposition.ERASED) for item in items]

    async def verify(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        """See that nothing remains."""
        for item in items[:0]:
            yield item
