"""Processors that break one rule each."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, ClassVar

from habeas.sdk import (
    Answer,
    CannotFulfil,
    Change,
    Context,
    Disposition,
    Identity,
    IdentityType,
    Item,
    ProcessorError,
    Result,
    RetryLater,
    Unlisted,
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


class OneEyed(Sound):
    """Accepts customer ids and looks for e-mail addresses alone."""

    async def locate(self, ctx: Context) -> Found:
        async for thing in Sound.locate(self, ctx):
            if not isinstance(thing, Item) or thing.matched.type is IdentityType.EMAIL:
                yield thing


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


class Zealous(Sound):
    """Takes a restriction for an erasure."""

    async def marked(self, item: Item, mark: Disposition) -> Result:
        await self.call("DELETE", f"things/{item.ref}")
        return Result(item, mark)


class Sulking(Sound):
    """Will not do twice what it did."""

    looked: ClassVar[set[str]]

    async def marked(self, item: Item, mark: Disposition) -> Result:
        if item.ref in self.looked:
            return Result(item, Disposition.FAILED, note="marked_already")
        self.looked.add(item.ref)
        return await Sound.marked(self, item, mark)


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
            return [Result(change.item, Disposition.FAILED, note="no_answer") for change in changes]


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
