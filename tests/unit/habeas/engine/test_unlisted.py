"""What a vendor can not list is told as that, and never taken for nothing."""

from collections.abc import AsyncIterator

import pytest

from habeas.engine import Again, OutcomeLine, Settled
from habeas.sdk import Action, Context, Disposition, Identity, Item, Unlisted
from habeas.testing import Crash, Crashed, MemoryExports, MemoryLedger
from habeas.vocabulary import Checked, Headline, headline_of
from tests.unit.habeas.engine.vendor import Vendor, VendorProcessor, manifest, run, task, vendor_with

Found = AsyncIterator[Item | Identity | Unlisted]

LINE = OutcomeLine("contact", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason="no_index")
SERVED = manifest(actions={name: {} for name in ("erase", "export", "preview", "recheck")})


class Half(VendorProcessor):
    """Can not list contacts."""

    reason = "no_index"

    async def locate(self, ctx: Context) -> Found:
        yield Unlisted("contact", self.reason)
        async for thing in VendorProcessor.locate(self, ctx):
            yield thing
        yield Unlisted("contact", self.reason)


async def test_it_is_told_beside_what_was_found() -> None:
    verdict = await run(Half(vendor_with("a")), by=SERVED)
    assert isinstance(verdict, Settled)
    assert verdict.lines == (OutcomeLine("files", Disposition.ERASED, 1, Checked.VERIFIED), LINE)
    assert headline_of(line.disposition for line in verdict.lines) is Headline.PARTLY_FULFILLED


@pytest.mark.parametrize("action", [Action.ERASE, Action.EXPORT, Action.PREVIEW, Action.RECHECK])
async def test_it_is_never_nothing_found(action: Action) -> None:
    verdict = await run(Half(Vendor()), of=task(action), by=SERVED, exports=MemoryExports())
    assert isinstance(verdict, Settled)
    assert verdict.lines == (LINE,)
    assert headline_of(line.disposition for line in verdict.lines) is Headline.NOT_FULFILLED


async def test_it_is_remembered_over_crashes() -> None:
    calm = MemoryLedger()
    await run(Half(vendor_with("a")), calm, by=SERVED)
    for step in range(calm.crash.steps):
        ledger, vendor = MemoryLedger(crash=Crash(at=step)), vendor_with("a")
        with pytest.raises(Crashed):
            await run(Half(vendor), ledger, by=SERVED)
        verdict = await run(Half(vendor), ledger, by=SERVED)
        assert isinstance(verdict, Settled)
        assert verdict.lines[-1] == LINE
        assert len(verdict.lines) == 2
        assert len(ledger.unlisted) == 1


async def test_what_could_be_listed_before_the_effect_and_not_after_it_is_not_proven() -> None:
    class Later(VendorProcessor):
        async def locate(self, ctx: Context) -> Found:
            if not self.vendor.things:
                yield Unlisted("files", "index_rebuilding")
            async for thing in VendorProcessor.locate(self, ctx):
                yield thing

    verdict = await run(Later(vendor_with("a")), by=SERVED)
    assert isinstance(verdict, Settled)
    assert [line.reason for line in verdict.lines] == [None, "index_rebuilding"]


async def test_a_reason_that_is_no_word_is_not_repeated() -> None:
    class Quoting(Half):
        reason = "no index for jane@example.com"

    verdict = await run(Quoting(Vendor()), by=SERVED)
    assert isinstance(verdict, Settled)
    assert verdict.lines[0].reason == "unspecified"


async def test_a_category_of_its_own_is_a_defect() -> None:
    class Strange(VendorProcessor):
        async def locate(self, ctx: Context) -> Found:
            yield Unlisted("nowhere")

    assert await run(Strange(Vendor()), by=SERVED) == Again("unknown_category", counts=True)
