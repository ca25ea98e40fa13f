"""Processors that break one rule of exporting or of rectifying each."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any, ClassVar

from habeas.sdk import (
    Change,
    Context,
    Disposition,
    File,
    Identity,
    Item,
    Record,
    Result,
    Unlisted,
    Values,
)
from tests.unit.habeas.testing.model import Sound

Found = AsyncIterator[Item | Identity | Unlisted]


class Stingy(Sound):
    """Leaves the files out."""

    async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
        async for thing in Sound.export(self, ctx, [item for item in items if item.category != "files"]):
            yield thing


class Terse(Sound):
    """Hands over what is in it, without what it says."""

    async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
        for item in items:
            yield Record(item, {"category": item.category})


class Stamping(Sound):
    """Writes the time of the export into it."""

    ticks = count()

    async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
        for item in items:
            yield Record(item, {"exported": f"{datetime.now(UTC).isoformat()} {next(self.ticks)}"})


class Draining(Sound):
    """Empties what it exports."""

    async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
        async for thing in Sound.export(self, ctx, items):
            yield thing
            if isinstance(thing, File) and thing.item.category == "files":
                await self.call("DELETE", f"things/{thing.item.ref}")


class Tiring(Sound):
    """Exports a thing once and never again."""

    looked: ClassVar[set[str]]

    async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
        for item in items:
            yield Record(item, {"new": item.ref not in self.looked})
            self.looked.add(item.ref)


class Truncating(Sound):
    """Takes half a file for a whole one."""

    async def content(self, item: Item, size: int) -> AsyncIterator[bytes]:
        yield (await self.call("GET", f"things/{item.ref}/content")).body


class Misplacing(Sound):
    """Writes into another field."""

    async def rectify(self, ctx: Context, changes: Sequence[Change]) -> Sequence[Result]:
        for change in changes:
            await self.call("PATCH", f"things/{change.item.ref}", json={"nickname": change.corrections[0].new})
        return [Result(change.item, Disposition.RECTIFIED) for change in changes]


class Believing(Sound):
    """Reads what it is to write, and not what is there."""

    async def read(self, ctx: Context, items: Sequence[Item], fields: Sequence[str]) -> AsyncIterator[Values]:
        wanted = {one.field: one.new for one in ctx.task.corrections}
        for item in items:
            yield Values(item, {field: wanted[field] for field in fields})


class Overwriting(Sound):
    """Says that the field holds what is to be replaced."""

    async def read(self, ctx: Context, items: Sequence[Item], fields: Sequence[str]) -> AsyncIterator[Values]:
        told = {one.field: one for one in ctx.task.corrections}
        async for values in Sound.read(self, ctx, items, fields):
            new = all(values.fields[field] == told[field].new for field in fields)
            yield values if new else Values(values.item, {field: told[field].old for field in fields})


class Stale(Sound):
    """Reads from a copy that knows of nothing yet."""

    asked = False

    async def read(self, ctx: Context, items: Sequence[Item], fields: Sequence[str]) -> AsyncIterator[Values]:
        stale, self.asked = not self.asked, True
        async for values in Sound.read(self, ctx, items, fields):
            yield Values(values.item, dict.fromkeys(fields)) if stale else values


class Sweeping(Sound):
    """Corrects others too."""

    async def rectify(self, ctx: Context, changes: Sequence[Change]) -> Sequence[Result]:
        others: Any = (await self.call("GET", "things", params={"by": "name", "value": "", "from": "3"})).json()
        for thing in others["things"]:
            await self.call("PATCH", f"things/{thing['id']}", json={"name": "x", "email": "x"})
        return await Sound.rectify(self, ctx, changes)
