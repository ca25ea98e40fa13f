"""How processors are called: plain methods in a thread, within the time left."""

import asyncio
import threading
from collections.abc import Iterator, Sequence

import pytest

from habeas.engine import Again, Settled
from habeas.sdk import Context, Disposition, Identity, Item, Result
from habeas.testing import MemoryLedger
from tests.unit.habeas.engine.vendor import VendorProcessor, manifest, run, vendor_with


class Plain(VendorProcessor):
    """A vendor whose client blocks: every method is plain."""

    def __init__(self, *refs: str) -> None:
        super().__init__(vendor_with(*refs))
        self.threads: set[int] = set()

    def locate(self, ctx: Context) -> Iterator[Item | Identity]:  # type: ignore[override]  # the base shows the async form
        self.threads.add(threading.get_ident())
        for ref in list(self.vendor.things):
            yield self.item(ref)

    def reread(self, ctx: Context, items: Sequence[Item]) -> Iterator[Item]:  # type: ignore[override]
        self.threads.add(threading.get_ident())
        return (self.item(item.ref) for item in items if item.ref in self.vendor.things)

    def erase(self, ctx: Context, items: Sequence[Item]) -> list[Result]:
        self.threads.add(threading.get_ident())
        ctx.before_effect_in_thread()
        for item in items:
            self.vendor.erase(item.ref)
        return [Result(item, Disposition.ERASED) for item in items]


async def test_plain_methods_run_in_one_thread_beside_the_loop() -> None:
    processor = Plain(*map(str, range(250)))
    verdict = await run(processor, by=manifest(actions={"erase": {"batch": 100}}))
    assert isinstance(verdict, Settled)
    assert verdict.lines[0].count == 250
    assert len(processor.threads) == 1
    assert threading.get_ident() not in processor.threads


async def test_a_plain_method_waits_for_its_turn() -> None:
    turns: list[int] = []

    async def before_call() -> None:
        turns.append(threading.get_ident())

    await run(Plain("a"), before_call=before_call)
    assert turns == [threading.get_ident()]


async def test_an_attempt_that_runs_out_of_time_counts() -> None:
    class Hanging(VendorProcessor):
        async def erase_each(self, items: Sequence[Item]) -> list[Result]:
            await asyncio.Event().wait()
            return []

    ledger = MemoryLedger()
    short = manifest(timeouts={"attempt": 2.2, "call": 0.1})
    assert await run(Hanging(vendor_with("a")), ledger, by=short) == Again("attempt_timeout", counts=True)
    assert ledger.items[0].attempted


async def test_a_thread_that_is_late_begins_no_further_call() -> None:
    late = threading.Event()
    refused: list[str] = []

    class Late(Plain):
        def erase(self, ctx: Context, items: Sequence[Item]) -> list[Result]:
            late.wait(30)
            try:
                ctx.require_time(1)
            except Exception as error:
                refused.append(str(error))
                raise
            return []

    working = asyncio.create_task(run(Late("a"), by=manifest(timeouts={"attempt": 2.2, "call": 5.0})))
    loop = asyncio.get_running_loop()
    loop.call_later(2.6, late.set)
    assert await working == Again("no_time_left", after=0.0)
    assert refused == ["no_time_left"]


async def test_a_cancelled_run_closes_the_door_behind_it() -> None:
    begun, go_on = threading.Event(), threading.Event()
    loop, seen = asyncio.get_running_loop(), asyncio.Event()
    left: list[float] = []

    class Slow(Plain):
        def erase(self, ctx: Context, items: Sequence[Item]) -> list[Result]:
            begun.set()
            go_on.wait(30)
            left.append(ctx.time_left())
            loop.call_soon_threadsafe(seen.set)
            return []

    working = asyncio.create_task(run(Slow("a")))
    await asyncio.to_thread(begun.wait, 30)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    go_on.set()
    await seen.wait()
    assert left == [0.0]
