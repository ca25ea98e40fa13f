"""Changes one opened processor for one run: effects that are only pretended, a search that is cut short."""

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from habeas.sdk import Change, Context, Disposition, Item, Processor, Result
from habeas.testing.memory import Crashed
from habeas.testing.vendor import NotArranged

Tampering = Callable[[Processor[Any]], AbstractContextManager[None]]


@contextmanager
def replaced(processor: Processor[Any], **methods: object) -> Iterator[None]:
    """Let `processor` have these methods instead of its own."""
    try:
        for name, method in methods.items():
            setattr(processor, name, method)
    except AttributeError:
        raise NotArranged("let instances of your processor take attributes (no __slots__)") from None
    try:
        yield
    finally:
        for name in methods:
            delattr(processor, name)


def pretending_to_erase(processor: Processor[Any]) -> AbstractContextManager[None]:
    """Answer every erasure with success and do nothing."""

    async def erase(ctx: Context, items: Sequence[Item]) -> Sequence[Result]:
        return [Result(item, Disposition.ERASED) for item in items]

    return replaced(processor, erase=erase)


def pretending_to_rectify(processor: Processor[Any]) -> AbstractContextManager[None]:
    """Answer every correction with success and write nothing."""

    async def rectify(ctx: Context, changes: Sequence[Change]) -> Sequence[Result]:
        return [Result(change.item, Disposition.RECTIFIED) for change in changes]

    return replaced(processor, rectify=rectify)


def dying_in_locate(after: int) -> Tampering:
    """Return what lets the process die when `locate` has yielded `after` things."""

    def tampered(processor: Processor[Any]) -> AbstractContextManager[None]:
        locate = processor.locate

        async def cut(found: AsyncIterator[Any]) -> AsyncIterator[Any]:
            number = 0
            async for thing in found:
                _die(number == after)
                yield thing
                number += 1

        def cut_plain(found: Any) -> Iterator[Any]:
            for number, thing in enumerate(found):
                _die(number == after)
                yield thing

        def shortened(ctx: Context) -> Any:
            found = locate(ctx)
            return cut(found) if isinstance(found, AsyncIterator) else cut_plain(found)

        async def shortened_async(ctx: Context) -> AsyncIterator[Any]:
            async for thing in shortened(ctx):
                yield thing

        plain = not inspect.isasyncgenfunction(locate)
        return replaced(processor, locate=shortened if plain else shortened_async)

    return tampered


def _die(now: bool) -> None:  # noqa: FBT001  # a word of its own would say no more
    if now:
        raise Crashed
