"""Nothing is told that nobody knows: effects whose fate is open, data that is still there, items of other people."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from habeas.engine import Again, OutcomeLine, Park, Settled
from habeas.sdk import (
    Action,
    CannotFulfil,
    Context,
    Disposition,
    Identity,
    Item,
    Record,
    Result,
    RetryLater,
    Unlisted,
)
from habeas.testing import Crash, Crashed, MemoryExports, MemoryLedger
from habeas.vocabulary import AttentionReason, Checked
from tests.unit.habeas.engine.vendor import STRANGER, SUBJECT, Vendor, VendorProcessor, manifest, run, task, vendor_with

NOBODY = Identity(SUBJECT.type, "")


class Remembering(VendorProcessor):
    """Has a vendor that gives the first answer to a key again, as those do that take idempotency keys."""

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(vendor)
        self.keys: list[str] = []

    async def erase(self, ctx: Context, items: Sequence[Item]) -> Sequence[Result]:
        for item in items:
            key = str(ctx.key("erase", item))
            if key not in self.keys:
                self.keys.append(key)
                self.vendor.erase(item.ref)
        return [Result(item, Disposition.ERASED) for item in items]


async def test_a_further_pass_is_no_repetition_to_a_vendor_that_remembers_keys() -> None:
    vendor = vendor_with("a", "b")
    vendor.lies = 1
    verdict = await run(Remembering(vendor))
    assert isinstance(verdict, Settled)
    assert not vendor.things


@pytest.mark.parametrize("lies", [0, 1])
async def test_a_pass_that_is_repeated_after_a_crash_has_the_same_keys(lies: int) -> None:
    def made() -> Remembering:
        vendor = vendor_with("a", "b", "c")
        vendor.lies = lies
        return Remembering(vendor)

    calm, crash = made(), Crash()
    await run(calm, MemoryLedger(crash))
    for at in range(crash.steps):
        dying, ledger = made(), MemoryLedger(Crash(at))
        with pytest.raises(Crashed):
            await run(dying, ledger)
        await run(dying, ledger)
        assert sorted(dying.keys) == sorted(calm.keys), at


def still_there(disposition: Disposition, *, owner: Identity) -> VendorProcessor:
    """Answers with `disposition` and leaves a record, which is `owner`'s by then."""

    class Leaving(VendorProcessor):
        async def erase_each(self, items: Sequence[Item]) -> list[Result]:
            for item in items:
                self.vendor.things[item.ref] = (owner, item.category, None)
            return [Result(item, disposition) for item in items]

    return Leaving(vendor_with("a"))


@pytest.mark.parametrize(
    ("disposition", "owner", "checked"),
    [
        # The record is nobody's any more: that is what it means to make it anonymous, and no erasure.
        (Disposition.ANONYMISED, NOBODY, Checked.VERIFIED),
        (Disposition.ERASED, NOBODY, Checked.ATTESTED),
        (Disposition.ERASED, STRANGER, Checked.ATTESTED),
        (Disposition.ALREADY_DONE, NOBODY, Checked.ATTESTED),
        # It is on the list that keeps it away, says the vendor; nobody looked there.
        (Disposition.SUPPRESSED, SUBJECT, Checked.ATTESTED),
        (Disposition.SUPPRESSED, NOBODY, Checked.VERIFIED),
    ],
)
async def test_what_is_read_again_as_it_should_not_be_is_not_verified(
    disposition: Disposition, owner: Identity, checked: Checked
) -> None:
    verdict = await run(still_there(disposition, owner=owner))
    assert isinstance(verdict, Settled), verdict
    assert [(line.disposition, line.checked) for line in verdict.lines] == [(disposition, checked)]


async def test_an_effect_of_which_nobody_can_say_what_came_of_it_is_not_told_as_refused() -> None:
    class Closed(VendorProcessor):
        closed = False

        async def erase_each(self, items: Sequence[Item]) -> list[Result]:
            self.vendor.erase(items[0].ref)
            self.closed = True
            raise RetryLater("unreachable")

        async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
            if self.closed:
                raise CannotFulfil("account_closed")
            async for item in VendorProcessor.reread(self, ctx, items):
                yield item

    processor, ledger = Closed(vendor_with("a", "b", "c")), MemoryLedger()
    assert await run(processor, ledger) == Again("unreachable")
    verdict = await run(processor, ledger)
    assert isinstance(verdict, Settled)
    assert verdict.lines == (
        OutcomeLine("files", Disposition.FAILED, 2, Checked.NOT_CHECKABLE, reason="account_closed"),
        OutcomeLine("files", Disposition.REFUSED, 1, Checked.NOT_CHECKABLE, reason="account_closed"),
    )


async def test_a_refusal_is_told_beside_what_could_not_be_listed() -> None:
    class Refusing(VendorProcessor):
        async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity | Unlisted]:
            yield Unlisted("contact")
            async for thing in VendorProcessor.locate(self, ctx):
                yield thing

        async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record]:
            for _ in items:
                raise CannotFulfil("legacy_plan")
            yield Record(items[0], {})

    served = manifest(actions={"export": {}})
    verdict = await run(Refusing(vendor_with("a")), of=task(Action.EXPORT), by=served, exports=MemoryExports())
    assert isinstance(verdict, Settled)
    assert {(line.category, line.disposition, line.reason) for line in verdict.lines} == {
        ("contact", Disposition.FAILED, "cannot_be_listed"),
        ("all", Disposition.REFUSED, "legacy_plan"),
    }


@pytest.mark.parametrize("action", [Action.PREVIEW, Action.RECHECK])
async def test_what_is_another_persons_is_not_counted(action: Action) -> None:
    class Mixing(VendorProcessor):
        async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity | Unlisted]:
            async for thing in VendorProcessor.locate(self, ctx):
                yield thing
                if isinstance(thing, Item):
                    yield replace(thing, ref="theirs", matched=STRANGER)

    served: Any = manifest(actions={action.value: {}})
    verdict = await run(Mixing(vendor_with("a")), of=task(action), by=served)
    assert verdict == Park(AttentionReason.WRONG_PERSON, "item_of_another_person")
