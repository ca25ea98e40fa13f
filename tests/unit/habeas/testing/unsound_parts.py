"""Processors that take a part for the whole, or one identifier for another; each breaks one rule."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from habeas.sdk import (
    Answer,
    CannotFulfil,
    Change,
    Context,
    Disposition,
    File,
    Identity,
    IdentityType,
    Item,
    ProcessorError,
    Record,
    Result,
    RetryLater,
    Unlisted,
)
from tests.unit.habeas.testing.model import MANIFEST, Sound, word

Found = AsyncIterator[Item | Identity | Unlisted]


class Glib(Sound):
    """Takes every answer for a yes."""

    async def erased(self, item: Item, key: str) -> Result:
        await self.http.call("DELETE", f"things/{item.ref}", headers={"idempotency-key": key})
        return Result(item, Disposition.ERASED)


class Nodding(Sound):
    """Takes every answer to a correction for a yes."""

    async def rectify(self, ctx: Context, changes: Sequence[Change]) -> Sequence[Result]:
        for change in changes:
            values = {MANIFEST.fields[one.field].name: one.new for one in change.corrections}
            await self.http.call("PATCH", f"things/{change.item.ref}", json=values)
        return [Result(change.item, Disposition.RECTIFIED) for change in changes]


class Despairing(Sound):
    """Takes nothing for done where something was not."""

    async def erase(self, ctx: Context, items: Sequence[Item]) -> Sequence[Result]:
        try:
            return await Sound.erase(self, ctx, items)
        except RetryLater:
            return [Result(item, Disposition.REFUSED, note="not_all_of_it") for item in items]


class Skipping(Sound):
    """Leaves an empty file where the vendor hands out none."""

    async def content(self, item: Item, size: int) -> AsyncIterator[bytes]:
        try:
            async for piece in Sound.content(self, item, size):
                yield piece
        except RetryLater:
            yield b""


class Wandering(Sound):
    """Goes on from the name that it reads, though it accepts e-mail addresses and customer ids alone."""

    async def locate(self, ctx: Context) -> Found:
        async for thing in Sound.locate(self, ctx):
            yield thing
            known = await self.thing(thing) if isinstance(thing, Item) else None
            if known is not None:
                by = Identity(IdentityType.USERNAME, known["name"])
                params = {"by": "name", "value": by.value, "from": "0"}
                page: Any = (await self.call("GET", "things", params=params)).json()
                for more in page["things"]:
                    yield Item(more["id"], more["kind"], by)


class Typeless(Sound):
    """Looks for a value wherever there could be one."""

    async def locate(self, ctx: Context) -> Found:
        for identity in ctx.identities:
            for kind in (IdentityType.EMAIL, IdentityType.CUSTOMER_ID):
                async for thing in self.listed(Identity(kind, identity.value)):
                    if thing[word(kind)] == identity.value:
                        yield Item(thing["id"], thing["kind"], identity)


class Literal(Sound):
    """Takes an address in capitals for another one."""

    async def locate(self, ctx: Context) -> Found:
        async for thing in Sound.locate(self, ctx):
            if not isinstance(thing, Item) or thing.matched.value == thing.matched.value.casefold():
                yield thing


class Undated(Sound):
    """Gives a thing's date when it finds it, and not when it reads it again."""

    async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        async for item in Sound.reread(self, ctx, items):
            yield replace(item, dated=None)


class Punctual(Sound):
    """Will not do what should have been done by now."""

    async def locate(self, ctx: Context) -> Found:
        if ctx.task.due_at is not None and ctx.task.due_at < ctx.now():
            raise CannotFulfil("too_late")
        async for thing in Sound.locate(self, ctx):
            yield thing


class Counting(Sound):
    """Takes a Retry-After that is a number, and no date."""

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        def judge(answer: Answer) -> ProcessorError | None:
            asked = answer.headers.get("retry-after", "")
            return RetryLater("rate_limited", after=7.0 if asked == "7" else None) if answer.status == 429 else None

        return await Sound.call(self, method, path, judge=judge, **more)


class Reciting(Sound):
    """Logs what it hands over."""

    async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
        async for thing in Sound.export(self, ctx, items):
            if isinstance(thing, Record):
                ctx.log.info("a record: %s", dict(thing.fields))
            yield thing
