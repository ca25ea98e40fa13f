"""An erasure from locating to the verdict, and what every error turns into."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any

import pytest

from habeas.engine import Again, LeaseLost, OutcomeLine, Park, Settled
from habeas.sdk import (
    Answered,
    CannotFulfil,
    Context,
    CredentialsRejected,
    Disposition,
    Identity,
    IdentityType,
    Item,
    Result,
    RetentionRule,
    RetryLater,
    Unlisted,
    WrongPerson,
)
from habeas.testing import Crashed, DyingLedger, MemoryLedger
from habeas.vocabulary import Action, AttentionReason, Checked, Phase
from tests.unit.habeas.engine.vendor import (
    STRANGER,
    SUBJECT,
    Vendor,
    VendorProcessor,
    manifest,
    run,
    task,
    vendor_with,
)

ERASED = OutcomeLine("files", Disposition.ERASED, 3, Checked.VERIFIED)


async def test_erases_what_is_the_subjects_and_nothing_else() -> None:
    vendor = vendor_with("a", "b", "c")
    vendor.things["x"] = (STRANGER, "files", None)
    assert await run(VendorProcessor(vendor)) == Settled((ERASED,), effects=3)
    assert list(vendor.things) == ["x"]


async def test_finding_nothing_is_a_line_of_its_own() -> None:
    line = OutcomeLine("all", Disposition.NOT_FOUND, 0, Checked.VERIFIED)
    assert await run(VendorProcessor(Vendor())) == Settled((line,))


async def test_an_action_that_is_not_served_does_not_apply() -> None:
    verdict = await run(VendorProcessor(vendor_with("a")), of=task(Action.RESTRICT))
    line = OutcomeLine("all", Disposition.NOT_APPLICABLE, 0, Checked.NOT_CHECKABLE, reason="not_served")
    assert verdict == Settled((line,))


async def test_without_an_accepted_identity_nothing_is_said_to_be_missing() -> None:
    verdict = await run(VendorProcessor(Vendor()), of=task(Action.ERASE, Identity(IdentityType.EMAIL, "a@b.example")))
    assert isinstance(verdict, Settled)
    assert verdict.lines[0].reason == "no_accepted_identity"


async def test_a_lie_is_found_out_and_erased_in_a_further_pass() -> None:
    vendor = vendor_with("a", "b", "c")
    vendor.lies = 1
    ledger = MemoryLedger()
    verdict = await run(VendorProcessor(vendor), ledger)
    assert isinstance(verdict, Settled)
    assert verdict.lines == (ERASED,)
    assert ledger.pass_no == 2


async def test_residue_after_three_passes_needs_a_person() -> None:
    vendor = vendor_with("a")
    vendor.lies = 3
    ledger = MemoryLedger()
    assert await run(VendorProcessor(vendor), ledger) == Park(AttentionReason.RESIDUE_REMAINS, "residue_remains")
    assert ledger.pass_no == 3
    # The person has spoken to the vendor and retries with room for more passes.
    verdict = await run(VendorProcessor(vendor), ledger, max_passes=6)
    assert isinstance(verdict, Settled)
    assert not vendor.things


async def test_what_appears_meanwhile_is_erased_too() -> None:
    class Growing(VendorProcessor):
        async def erase_each(self, items: Sequence[Item]) -> list[Result]:
            results = await super().erase_each(items)
            if not self.vendor.effects[1:]:
                self.vendor.things["late"] = (SUBJECT, "files", None)
            return results

    vendor = vendor_with("a")
    assert await run(Growing(vendor)) == Settled(
        (OutcomeLine("files", Disposition.ERASED, 2, Checked.VERIFIED),), (), 2
    )


async def test_an_item_that_changed_hands_is_left_alone() -> None:
    vendor = vendor_with("a", "b")
    ledger = DyingLedger()
    with pytest.raises(Crashed):
        await run(VendorProcessor(vendor), ledger)
    vendor.things["a"] = (STRANGER, "files", None)
    assert await run(VendorProcessor(vendor), ledger) == Park(AttentionReason.WRONG_PERSON, "item_changed_hands")
    assert set(vendor.things) == {"a", "b"}


async def test_what_vanished_before_an_attempt_was_done_by_others() -> None:
    vendor = vendor_with("a", "b")
    ledger = DyingLedger()
    with pytest.raises(Crashed):
        await run(VendorProcessor(vendor), ledger)
    del vendor.things["a"]
    verdict = await run(VendorProcessor(vendor), ledger)
    assert isinstance(verdict, Settled)
    assert [(line.disposition, line.count) for line in verdict.lines] == [
        (Disposition.ALREADY_DONE, 1),
        (Disposition.ERASED, 1),
    ]


async def test_retention_keeps_an_item_without_an_effect() -> None:
    vendor = vendor_with("a", dated=date(2026, 1, 31))
    vendor.things["b"] = (SUBJECT, "contact", date(2026, 1, 31))
    rules = (RetentionRule("files", "tax_law", 84),)
    verdict = await run(VendorProcessor(vendor), of=task(retention=rules))
    assert isinstance(verdict, Settled)
    assert verdict.lines == (
        OutcomeLine("contact", Disposition.ERASED, 1, Checked.VERIFIED),
        OutcomeLine("files", Disposition.RETAINED, 1, Checked.VERIFIED, "tax_law", date(2033, 1, 31)),
    )
    assert vendor.effects == ["b"]


async def test_a_hold_keeps_everything_that_goes_together() -> None:
    class Bundled(VendorProcessor):
        def taken_with(self, item: Item) -> str:
            return "contact"

    vendor = vendor_with("a", dated=date(2026, 1, 31))
    vendor.things |= {"b": (SUBJECT, "contact", None), "c": (SUBJECT, "contact", None)}
    verdict = await run(Bundled(vendor), of=task(retention=(RetentionRule("files", "tax_law", 84),)))
    assert isinstance(verdict, Settled)
    assert [(line.category, line.disposition, line.reason) for line in verdict.lines] == [
        ("contact", Disposition.RETAINED, "kept_together"),
        ("files", Disposition.RETAINED, None),
    ]
    assert not vendor.effects


async def test_where_the_vendor_lets_nobody_look_it_is_said() -> None:
    verdict = await run(VendorProcessor(vendor_with("a")), by=manifest(actions={"erase": {"verify": False}}))
    assert isinstance(verdict, Settled)
    assert verdict.lines[0].checked is Checked.NOT_CHECKABLE


async def test_only_repeats_within_the_batch_size() -> None:
    sizes: list[int] = []

    class Counting(VendorProcessor):
        async def erase_each(self, items: Sequence[Item]) -> list[Result]:
            sizes.append(len(items))
            return await super().erase_each(items)

    await run(Counting(vendor_with(*"abcde")))
    assert sizes == [2, 2, 1]


def raising(error: BaseException, *, at: str) -> VendorProcessor:
    class Raising(VendorProcessor):
        async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity | Unlisted]:
            if at == "locate":
                raise error
            async for item in VendorProcessor.locate(self, ctx):
                yield item

        def erase(self, ctx: Context, items: Sequence[Item]) -> Answered:
            raise error

    return Raising(vendor_with("a"))


@pytest.mark.parametrize("at", ["locate", "erase"])
@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (RetryLater("rate_limited", after=7.0), Again("rate_limited", Phase.RETRYING, 7.0)),
        (RetryLater("jane@example.com said no"), Again("retry_later")),
        (CredentialsRejected(), Park(AttentionReason.CREDENTIALS_REJECTED, "credentials_rejected")),
        (WrongPerson("shared_account"), Park(AttentionReason.WRONG_PERSON, "shared_account")),
        (ValueError("jane@example.com"), Again("ValueError", counts=True)),
        (StopIteration(), Again("StopIteration", counts=True)),
        (TimeoutError(), Again("timeout")),
    ],
)
async def test_errors_are_named_by_what_happens_next(error: Exception, verdict: object, at: str) -> None:
    if isinstance(error, StopIteration) and at == "locate":
        verdict = Again("RuntimeError", counts=True)  # Python's own name for it in a generator
    assert await run(raising(error, at=at)) == verdict


async def test_a_defect_that_stays_needs_a_person() -> None:
    verdict = await run(raising(KeyError("jane@example.com"), at="locate"), attempt=5)
    assert verdict == Park(AttentionReason.KEEPS_FAILING, "KeyError")


@pytest.mark.parametrize("at", ["locate", "erase"])
async def test_what_can_not_be_done_is_refused_with_its_reason(at: str) -> None:
    verdict = await run(raising(CannotFulfil("legacy_plan"), at=at))
    assert isinstance(verdict, Settled)
    assert [(line.disposition, line.reason) for line in verdict.lines] == [(Disposition.REFUSED, "legacy_plan")]


async def test_what_can_not_be_done_is_refused_of_every_batch_and_nothing_more_is_tried() -> None:
    class Giving(VendorProcessor):
        def erase(self, ctx: Context, items: Sequence[Item]) -> Answered:
            raise CannotFulfil("legacy_plan")

    vendor, ledger = vendor_with("a", "b", "c", "d", "e"), MemoryLedger()
    verdict = await run(Giving(vendor), ledger)
    assert isinstance(verdict, Settled)
    assert [(line.disposition, line.count, line.reason) for line in verdict.lines] == [
        (Disposition.REFUSED, 5, "legacy_plan")
    ]
    assert [known.attempted for known in ledger.items.values()] == [True, True, False, False, False]


class GivingUp(VendorProcessor):
    """Erases one item of a batch and then finds that it may not go on."""

    async def erase_each(self, items: Sequence[Item]) -> list[Result]:
        self.vendor.erase(items[0].ref)
        raise CannotFulfil("legacy_plan")


async def test_what_was_erased_before_the_vendor_gave_up_is_told_as_erased() -> None:
    ledger = MemoryLedger()
    verdict = await run(GivingUp(vendor_with("a", "b", "c")), ledger)
    assert verdict == Settled(
        (
            OutcomeLine("files", Disposition.ERASED, 1, Checked.VERIFIED),
            OutcomeLine("files", Disposition.REFUSED, 2, Checked.VERIFIED, reason="legacy_plan"),
        ),
        effects=1,
    )
    assert ledger.items[0].result is not None
    assert ledger.items[0].result.evidence == {"basis": "gone_after_attempt"}


async def test_nothing_is_refused_while_nobody_can_look_what_was_done_before_the_vendor_gave_up() -> None:
    class Unreachable(GivingUp):
        async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
            if self.vendor.effects:
                raise RetryLater("unreachable")
            async for item in VendorProcessor.reread(self, ctx, items):
                yield item

    vendor, ledger = vendor_with("a", "b"), MemoryLedger()
    assert await run(Unreachable(vendor), ledger) == Again("unreachable")
    verdict = await run(GivingUp(vendor), ledger)
    assert isinstance(verdict, Settled)
    assert {line.disposition for line in verdict.lines} == {Disposition.ERASED}


async def test_a_lost_lease_stops_at_once() -> None:
    class Lost(MemoryLedger):
        async def attempting(self, *_: object, **__: object) -> None:
            raise LeaseLost

    vendor = vendor_with("a")
    with pytest.raises(LeaseLost):
        await run(VendorProcessor(vendor), Lost())
    assert not vendor.effects


async def test_nothing_begins_without_lease_left() -> None:
    vendor = vendor_with("a")
    assert await run(VendorProcessor(vendor), MemoryLedger(lease=0.5)) == Again("no_time_left", after=0.0)
    assert not vendor.effects


async def test_a_cancel_before_the_first_effect_leaves_everything() -> None:
    vendor = vendor_with("a")
    for cancel in (True, lambda ledger: ledger.complete):
        assert await run(VendorProcessor(vendor), MemoryLedger(cancel=cancel)) == Settled((), cancelled=True)
    assert list(vendor.things) == ["a"]


async def test_a_cancel_after_effects_began_is_too_late() -> None:
    vendor = vendor_with("a", "b", "c")
    ledger = MemoryLedger(cancel=lambda ledger: ledger.effects > 0)
    verdict = await run(VendorProcessor(vendor), ledger)
    assert verdict == Settled((ERASED,), effects=3)


def answering(answer: Any) -> VendorProcessor:
    class Answering(VendorProcessor):
        def erase(self, ctx: Context, items: Sequence[Item]) -> Answered:
            results: Answered = answer(items)
            return results

    return Answering(vendor_with("a"))


OTHER = Item("other", "files", SUBJECT)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda items: [], "results_missing"),
        (lambda items: None, "malformed_answer"),
        (lambda items: [Result(OTHER, Disposition.ERASED)], "result_of_unknown_item"),
        (lambda items: [Result(items[0], Disposition.EXPORTED)], "disposition_of_another_action"),
    ],
)
async def test_an_answer_out_of_shape_is_a_defect(answer: Any, reason: str) -> None:
    assert await run(answering(answer)) == Again(reason, counts=True)


async def test_a_vendors_own_words_stay_out_of_the_outcome() -> None:
    processor = answering(lambda items: [Result(items[0], Disposition.REFUSED, note="Jane Doe <jane@example.com>")])
    verdict = await run(processor)
    assert isinstance(verdict, Settled)
    assert verdict.lines[0].reason == "unspecified"


async def test_items_of_unknown_categories_are_a_defect() -> None:
    vendor = vendor_with("a", category="secrets")
    assert await run(VendorProcessor(vendor)) == Again("unknown_category", counts=True)
