"""Processors that break one rule each."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any, ClassVar

from habeas.sdk import (
    Answer,
    CannotFulfil,
    Change,
    Context,
    Disposition,
    File,
    Identity,
    Item,
    ProcessorError,
    Record,
    Result,
    RetryLater,
    Unlisted,
    Values,
)
from tests.unit.habeas.testing.model import Sound

Found = AsyncIterator[Item | Identity | Unlisted]


class Inventing(Sound):
    """Finds something of everybody: an entry of a blocklist that it means to make."""

    async def locate(self, ctx: Context) -> Found:
        yield Item("blocklist", "contact", ctx.identities[0])

    async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        for item in items:
            yield item


class Blind(Sound):
    """Takes a vendor that can not be reached for an empty one."""

    async def locate(self, ctx: Context) -> Found:
        try:
            async for thing in Sound.locate(self, ctx):
                yield thing
        except RetryLater:
            return


class Faulting(Sound):
    """Lets its parser's errors out."""

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        answer = await Sound.call(self, method, path, **more)
        json.loads(answer.body)
        return answer


class OneLegged(Sound):
    """Can not do without a customer id."""

    async def locate(self, ctx: Context) -> Found:
        identity = {one.type.value: one for one in ctx.identities}["customer_id"]
        async for thing in self.listed(identity):
            if thing["customer"] == identity.value:
                yield Item(thing["id"], thing["kind"], identity)


class Fuzzy(Sound):
    """Believes a search that also finds parts of words."""

    async def listed(self, identity: Identity) -> AsyncIterator[dict[str, Any]]:
        shortened = Identity(identity.type, identity.value.strip("*%_.")[:0])
        async for thing in Sound.listed(self, shortened):
            yield thing | {"email": identity.value, "customer": identity.value}

    async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        async for item in Sound.reread(self, ctx, items):
            yield Item(item.ref, item.category, ctx.identities[0])


class Meddling(Sound):
    """Tidies up while it looks."""

    async def locate(self, ctx: Context) -> Found:
        async for thing in Sound.locate(self, ctx):
            if isinstance(thing, Item) and thing.category == "files":
                await self.call("DELETE", f"things/{thing.ref}")
            yield thing


class NoFiles(Sound):
    """Knows nothing of files."""

    async def locate(self, ctx: Context) -> Found:
        async for thing in Sound.locate(self, ctx):
            if not isinstance(thing, Item) or thing.category != "files":
                yield thing


class Dropping(Sound):
    """Tells of the first thing only."""

    async def erase(self, ctx: Context, items: Sequence[Item]) -> Sequence[Result]:
        return list(await Sound.erase(self, ctx, items))[:1]


class Stubborn(Sound):
    """Remembers what it found, and finds it for ever."""

    memory: ClassVar[dict[str, Item]]

    async def locate(self, ctx: Context) -> Found:
        async for thing in Sound.locate(self, ctx):
            if isinstance(thing, Item):
                self.memory[thing.ref] = thing
        for item in self.memory.values():
            if item.matched in ctx.identities:
                yield item

    async def verify(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        async for item in self.reread(ctx, items):
            yield item


class Echoing(Sound):
    """Says of every item what it was told of it."""

    async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        for item in items:
            yield Item(item.ref, item.category, ctx.identities[-1])

    async def verify(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        async for thing in self.locate(ctx):
            if isinstance(thing, Item):
                yield thing


class Credulous(Sound):
    """Believes the vendor without looking."""

    async def verify(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        for item in items[:0]:
            yield item


class Careless(Sound):
    """Does not say that notes go with their contact."""

    def taken_with(self, item: Item) -> str:
        return item.ref


class Once(Sound):
    """Looks for each person once and never again."""

    looked: ClassVar[set[str]]

    async def locate(self, ctx: Context) -> Found:
        if ctx.identities[0].value in self.looked:
            return
        self.looked.add(ctx.identities[0].value)
        async for thing in Sound.locate(self, ctx):
            yield thing


class Deaf(Sound):
    """Goes on when it is told to end."""

    async def erase(self, ctx: Context, items: Sequence[Item]) -> Sequence[Result]:
        try:
            await asyncio.get_running_loop().create_future() if ctx.attempt > 1 else await asyncio.sleep(0)
        except BaseException:  # noqa: BLE001  # this is what is wrong with it
            asyncio.current_task().uncancel()  # type: ignore[union-attr]
        return await Sound.erase(self, ctx, items)


class Forgetful(Sound):
    """Keeps the task's identity where the next task finds it."""

    identities: Sequence[Identity] = ()

    async def locate(self, ctx: Context) -> Found:
        self.identities = ctx.identities
        await asyncio.sleep(0)
        for identity in self.identities:
            async for thing in self.listed(identity):
                if thing["email"] == identity.value:
                    yield Item(thing["id"], thing["kind"], identity)


class Impatient(Sound):
    """Asks again at once."""

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        def judge(answer: Answer) -> ProcessorError | None:
            return RetryLater("rate_limited", after=0.0) if answer.status == 429 else None

        return await Sound.call(self, method, path, judge=judge, **more)


class Lax(Sound):
    """Takes every answer that is not the wanted one for "nothing there"."""

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        answer = await self.http.call(method, path, **more)
        if answer.status != 200:
            return Answer(404, {}, b'{"things": [], "next": null}')
        return answer


class Doubtful(Sound):
    """Gives up where an answer is lost."""

    async def erase(self, ctx: Context, items: Sequence[Item]) -> Sequence[Result]:
        try:
            return await Sound.erase(self, ctx, items)
        except RetryLater:
            raise CannotFulfil("no_answer") from None

    async def rectify(self, ctx: Context, changes: Sequence[Change]) -> Sequence[Result]:
        try:
            return await Sound.rectify(self, ctx, changes)
        except RetryLater:
            raise CannotFulfil("no_answer") from None


class Hopeful(Sound):
    """Hopes that a refused token will be taken tomorrow."""

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        def judge(answer: Answer) -> ProcessorError | None:
            return RetryLater("unauthorised") if answer.status == 401 else None

        return await Sound.call(self, method, path, judge=judge, **more)


class Unchecking(Sound):
    """Finds everything in order without a call."""

    async def check(self, ctx: Context) -> None:
        return None


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


class Chatty(Sound):
    """Logs whom it works for."""

    async def locate(self, ctx: Context) -> Found:
        ctx.log.warning("looking for %s", ctx.identities[0].value)
        async for thing in Sound.locate(self, ctx):
            yield thing


class Wailing(Sound):
    """Logs whom it works for when something goes wrong."""

    async def locate(self, ctx: Context) -> Found:
        try:
            async for thing in Sound.locate(self, ctx):
                yield thing
        except RetryLater:
            ctx.log.warning("no luck with %s", ctx.identities[0].value)
            raise


class Branding(Sound):
    """Tells whom it works for in a header."""

    async def locate(self, ctx: Context) -> Found:
        await self.call("GET", "me", headers={"x-subject": ctx.identities[0].value})
        async for thing in Sound.locate(self, ctx):
            yield thing
