"""When a hold has ended: what an earlier task kept is read again and erased, without knowing whose it was by name."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from habeas.engine import Held, Hold, OutcomeLine, Park, Settled
from habeas.sdk import Answered, Context, Disposition, Identity, Item, RetentionRule
from habeas.testing import Crash, Crashed, DyingLedger, MemoryLedger, Time
from habeas.vocabulary import AttentionReason, Checked, CountedFrom
from tests.unit.habeas.engine.vendor import (
    STRANGER,
    SUBJECT,
    Vendor,
    VendorProcessor,
    run,
    task,
    vendor_with,
)

TAX = RetentionRule("files", "tax_law", 84, CountedFrom.END_OF_YEAR)
DATED = date(2026, 5, 5)
AFTER = datetime(2034, 1, 1, tzinfo=UTC)
BLANK = Identity(SUBJECT.type, "")
FOLLOWING = replace(task(), identities=(), retention=(TAX,))


def kept(*refs: str, dated: date | None = DATED, beside: Sequence[tuple[Item, Hold]] = ()) -> Held:
    items = tuple(Item(ref, "files", BLANK, dated=dated) for ref in refs)
    return Held(items, lambda matched: matched == SUBJECT, beside)


class NeverSearched(VendorProcessor):
    def locate(self, ctx: Context) -> AsyncIterator[Item | Identity]:
        raise AssertionError("nobody is to be searched for")


async def test_what_was_kept_is_erased_once_its_day_has_come_and_nothing_else_is_looked_for() -> None:
    vendor = vendor_with("a", "b", dated=DATED)
    vendor.things["newer"] = (SUBJECT, "files", None)
    verdict = await run(NeverSearched(vendor), of=FOLLOWING, clock=Time(AFTER), held=kept("a", "b"))
    assert verdict == Settled((OutcomeLine("files", Disposition.ERASED, 2, Checked.VERIFIED),), effects=2)
    assert list(vendor.things) == ["newer"]


async def test_a_day_earlier_the_rule_still_holds_it() -> None:
    vendor = vendor_with("a", dated=DATED)
    clock = Time(datetime(2033, 12, 31, 23, 59, 59, tzinfo=UTC))
    verdict = await run(NeverSearched(vendor), of=FOLLOWING, clock=clock, held=kept("a"))
    assert isinstance(verdict, Settled)
    assert verdict.lines == (
        OutcomeLine("files", Disposition.RETAINED, 1, Checked.VERIFIED, "tax_law", date(2034, 1, 1)),
    )
    assert not vendor.effects


async def test_a_rule_that_became_longer_meanwhile_keeps_it_on() -> None:
    vendor = vendor_with("a", dated=DATED)
    of = replace(FOLLOWING, retention=(replace(TAX, months=120),))
    verdict = await run(NeverSearched(vendor), of=of, clock=Time(AFTER), held=kept("a"))
    assert isinstance(verdict, Settled)
    assert verdict.lines[0].until == date(2037, 1, 1)


async def test_what_is_gone_by_then_is_already_done() -> None:
    verdict = await run(NeverSearched(Vendor()), of=FOLLOWING, clock=Time(AFTER), held=kept("a"))
    assert verdict == Settled((OutcomeLine("files", Disposition.ALREADY_DONE, 1, Checked.VERIFIED),))


async def test_what_is_another_persons_by_then_is_left_alone() -> None:
    vendor = vendor_with("a", owner=STRANGER)
    verdict = await run(NeverSearched(vendor), of=FOLLOWING, clock=Time(AFTER), held=kept("a"))
    assert verdict == Park(AttentionReason.WRONG_PERSON, "item_changed_hands")
    assert list(vendor.things) == ["a"]


async def test_what_goes_along_with_something_that_is_kept_for_longer_stays_too() -> None:
    class Bundled(NeverSearched):
        def taken_with(self, item: Item) -> str:
            return "contact"

    vendor = vendor_with("a", dated=DATED)
    note = Item("b", "contact", BLANK)
    held = kept("a", beside=[(note, Hold("legal_claims", date(2036, 1, 1)))])
    verdict = await run(Bundled(vendor), of=FOLLOWING, clock=Time(AFTER), held=held)
    assert isinstance(verdict, Settled)
    assert [(line.ground, line.until, line.reason) for line in verdict.lines] == [
        ("legal_claims", date(2036, 1, 1), "kept_together")
    ]
    assert not vendor.effects
    over = kept("a", beside=[(note, Hold("legal_claims", date(2034, 1, 1)))])
    assert isinstance(await run(Bundled(vendor), of=FOLLOWING, clock=Time(AFTER), held=over), Settled)
    assert vendor.effects == ["a"]


async def test_of_what_goes_together_the_longest_hold_is_told_of_all() -> None:
    class Bundled(VendorProcessor):
        def taken_with(self, item: Item) -> str:
            return "contact"

    vendor = vendor_with("a", dated=DATED)
    vendor.things["b"] = (SUBJECT, "files", date(2027, 5, 5))
    verdict = await run(Bundled(vendor), of=task(retention=(TAX,)))
    assert isinstance(verdict, Settled)
    assert [(line.until, line.reason) for line in verdict.lines] == [
        (date(2035, 1, 1), None),
        (date(2035, 1, 1), "kept_together"),
    ]


async def test_the_effect_is_given_whose_it_is_now() -> None:
    given: list[Item] = []

    class Looking(NeverSearched):
        def erase(self, ctx: Context, items: Sequence[Item]) -> Answered:
            assert not ctx.identities
            given.extend(items)
            return super().erase(ctx, items)

    await run(Looking(vendor_with("a", dated=DATED)), of=FOLLOWING, clock=Time(AFTER), held=kept("a"))
    assert [item.matched for item in given] == [SUBJECT]


async def test_a_lie_is_found_out_by_reading_again() -> None:
    vendor = vendor_with("a", dated=DATED)
    vendor.lies = 1
    ledger = MemoryLedger()
    verdict = await run(NeverSearched(vendor), ledger, of=FOLLOWING, clock=Time(AFTER), held=kept("a"))
    assert isinstance(verdict, Settled)
    assert (ledger.pass_no, vendor.things) == (2, {})


async def test_after_a_crash_the_same_items_are_gone_on_with() -> None:
    vendor = vendor_with("a", "b", dated=DATED)
    ledger = DyingLedger()
    with pytest.raises(Crashed):
        await run(NeverSearched(vendor), ledger, of=FOLLOWING, clock=Time(AFTER), held=kept("a", "b"))
    verdict = await run(NeverSearched(vendor), ledger, of=FOLLOWING, clock=Time(AFTER), held=kept("a", "b"))
    assert isinstance(verdict, Settled)
    assert sorted(vendor.effects) == ["a", "b"]


async def test_a_crash_at_any_step_erases_everything_once() -> None:
    calm = Crash()
    await run(
        NeverSearched(vendor_with("a", "b", "c", dated=DATED)), MemoryLedger(calm), of=FOLLOWING, clock=Time(AFTER),
        held=kept("a", "b", "c"),
    )  # fmt: skip
    assert calm.steps > 6
    for at in range(calm.steps):
        vendor, ledger = vendor_with("a", "b", "c", dated=DATED), MemoryLedger(Crash(at))
        with pytest.raises(Crashed):
            await run(NeverSearched(vendor), ledger, of=FOLLOWING, clock=Time(AFTER), held=kept("a", "b", "c"))
        verdict = await run(NeverSearched(vendor), ledger, of=FOLLOWING, clock=Time(AFTER), held=kept("a", "b", "c"))
        assert isinstance(verdict, Settled)
        assert sum(line.count for line in verdict.lines) == 3
        assert sorted(vendor.effects) == ["a", "b", "c"]
        assert all(one.result is not None for one in ledger.items.values())
