"""A copy is looked at again before it counts: what appeared meanwhile is in it, or nobody calls it whole."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from habeas.engine import Again, OutcomeLine, Settled, Verdict
from habeas.sdk import Action, Context, Disposition, File, Identity, Item, Record, RetryLater, Unlisted
from habeas.testing import Crash, Crashed, MemoryExports, MemoryLedger
from habeas.vocabulary import Checked
from tests.unit.habeas.engine.vendor import SUBJECT, Vendor, VendorProcessor, manifest, run, task, vendor_with

SERVED = manifest(actions={"export": {"batch": 2}})


class Exporter(VendorProcessor):
    """Notes how often it looked, and lets things appear while it exports."""

    def __init__(self, vendor: Vendor, appearing: Sequence[str] = ()) -> None:
        super().__init__(vendor)
        self.appearing = list(appearing)
        self.looks = 0

    async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity | Unlisted]:
        self.looks += 1
        async for thing in VendorProcessor.locate(self, ctx):
            yield thing

    async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
        for item in items:
            yield Record(item, {"name": item.ref})
        if self.appearing:
            self.vendor.things[self.appearing.pop(0)] = (SUBJECT, "files", None)


async def exported(processor: Exporter, exports: MemoryExports | None = None, **more: Any) -> Verdict:
    by = more.pop("by", SERVED)
    return await run(
        processor, more.pop("ledger", None), of=task(Action.EXPORT), by=by, exports=exports or MemoryExports(), **more
    )


def told(verdict: Verdict) -> list[tuple[Disposition, int, Checked]]:
    assert isinstance(verdict, Settled), verdict
    return [(line.disposition, line.count, line.checked) for line in verdict.lines]


def names(exports: MemoryExports) -> list[object]:
    assert exports.finished is not None
    return [part.fields["name"] for part in exports.finished if isinstance(part, Record)]


async def test_where_nothing_appeared_one_more_look_says_so() -> None:
    processor = Exporter(vendor_with("a", "b", "c"))
    assert told(await exported(processor)) == [(Disposition.EXPORTED, 3, Checked.VERIFIED)]
    assert processor.looks == 2


async def test_what_appears_meanwhile_is_in_the_same_copy() -> None:
    exports, ledger = MemoryExports(), MemoryLedger()
    processor = Exporter(vendor_with("a", "b", "c"), ["late", "later"])
    assert told(await exported(processor, exports, ledger=ledger)) == [(Disposition.EXPORTED, 5, Checked.VERIFIED)]
    assert sorted(map(str, names(exports))) == ["a", "b", "c", "late", "later"]
    assert (exports.attempt, ledger.pass_no) == (1, 2)


async def test_what_never_stops_growing_is_copied_as_far_as_it_was_seen_and_not_called_whole() -> None:
    exports = MemoryExports()
    processor = Exporter(vendor_with("a"), [f"late-{number}" for number in range(100)])
    assert told(await exported(processor, exports)) == [(Disposition.EXPORTED, 3, Checked.ATTESTED)]
    assert len(names(exports)) == 3


async def test_an_export_that_was_put_off_holds_what_appeared_since() -> None:
    exports, ledger, processor = MemoryExports(), MemoryLedger(), Exporter(vendor_with("a"))
    await exported(processor, MemoryExports(), ledger=ledger)
    processor.vendor.things["b"] = (SUBJECT, "files", None)
    assert told(await exported(processor, exports, ledger=ledger)) == [(Disposition.EXPORTED, 2, Checked.VERIFIED)]
    assert names(exports) == ["a", "b"]


async def test_where_nobody_could_look_again_there_is_no_copy_yet() -> None:
    class Away(Exporter):
        async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity | Unlisted]:
            if self.looks:
                raise RetryLater("unreachable")
            async for thing in Exporter.locate(self, ctx):
                yield thing

    exports = MemoryExports()
    assert await exported(Away(vendor_with("a")), exports) == Again("unreachable")
    assert exports.finished is None


async def test_where_the_vendor_lets_nobody_look_again_it_is_said() -> None:
    processor = Exporter(vendor_with("a"))
    blind = manifest(actions={"export": {"verify": False}})
    assert told(await exported(processor, by=blind)) == [(Disposition.EXPORTED, 1, Checked.NOT_CHECKABLE)]
    assert processor.looks == 1


async def test_what_could_be_listed_at_first_and_not_again_is_told() -> None:
    class Later(Exporter):
        async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity | Unlisted]:
            async for thing in Exporter.locate(self, ctx):
                yield thing
            if self.looks > 1:
                yield Unlisted("contact")

    verdict = await exported(Later(vendor_with("a")))
    assert isinstance(verdict, Settled)
    assert OutcomeLine("contact", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason="cannot_be_listed") in (
        verdict.lines
    )


@pytest.mark.parametrize("appearing", [[], ["late"]])
async def test_a_crash_at_any_step_copies_everything(appearing: list[str]) -> None:
    calm = MemoryLedger()
    await exported(Exporter(vendor_with("a", "b"), appearing), ledger=calm)
    for at in range(calm.crash.steps):
        processor, ledger, exports = (
            Exporter(vendor_with("a", "b"), appearing),
            MemoryLedger(Crash(at)),
            MemoryExports(),
        )
        with pytest.raises(Crashed):
            await exported(processor, exports, ledger=ledger)
        verdict = await exported(processor, exports, ledger=ledger)
        assert told(verdict) == [(Disposition.EXPORTED, 2 + len(appearing), Checked.VERIFIED)], at
        assert sorted(map(str, names(exports))) == ["a", "b", *appearing], at
