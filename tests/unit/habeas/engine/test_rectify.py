"""Rectification: compared just before and just after, told as what it was, whatever breaks in between."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from habeas.engine import Again, OutcomeLine, Park, Settled, Verdict
from habeas.engine.rectifying import same
from habeas.sdk import (
    Action,
    CannotFulfil,
    Change,
    Context,
    Correction,
    Disposition,
    Item,
    Manifest,
    Result,
    RetryLater,
    Values,
    Wait,
)
from habeas.testing import Crash, Crashed, MemoryLedger, Time
from habeas.vocabulary import AttentionReason, Checked, Phase
from tests.unit.habeas.engine.crm import (
    EMAIL,
    JANE,
    NAME,
    NEW,
    OLD,
    SERVED,
    Crm,
    Rectifier,
    contact,
    rectified,
    told,
)
from tests.unit.habeas.engine.vendor import run, task


async def test_what_is_old_becomes_new_and_is_read_again() -> None:
    crm = Crm(a=contact(), b=contact(), c=contact())
    verdict = await rectified(crm, EMAIL, NAME)
    assert verdict == Settled((OutcomeLine("contact", Disposition.RECTIFIED, 3, Checked.VERIFIED),), effects=3)
    assert crm.contacts["b"] == contact(NEW, "Jané")
    assert len(crm.writes) == 6


async def test_only_categories_with_a_field_to_correct_are_kept() -> None:
    ledger = MemoryLedger()
    await rectified(Crm(a=contact()), ledger=ledger)
    assert [known.item.category for known in ledger.items.values()] == ["contact"]


async def test_what_is_new_already_is_not_written() -> None:
    crm = Crm(a=contact())
    crm.contacts["a"]["contact.name"] = "Jane\u0301"  # the same letters, in another of Unicode's spellings
    assert told(await rectified(crm, NAME)) == [("already_done", 1, None)]
    assert not crm.writes


async def test_a_field_that_holds_something_else_is_refused_and_the_others_are_written() -> None:
    crm = Crm(a=contact(name="Joan"))
    verdict = await rectified(crm, EMAIL, Correction("contact.name", "Jane", "Jané"))
    assert told(verdict) == [("rectified", 1, None), ("refused", 1, "old_value_differs")]
    assert crm.contacts["a"] == contact(NEW, "Joan")


async def test_an_unknown_field_is_one_refused_line() -> None:
    crm = Crm(a=contact())
    unknown = (Correction("contact.shoe", None, "44"), Correction("contact.hat", None, "58"))
    assert told(await rectified(crm, *unknown)) == [("refused", 0, "unknown_field")]
    assert told(await rectified(crm, EMAIL, *unknown)) == [("rectified", 1, None), ("refused", 0, "unknown_field")]
    assert told(await rectified(Crm(), EMAIL, *unknown)) == [("not_found", 0, None), ("refused", 0, "unknown_field")]


async def test_a_task_without_corrections_is_refused() -> None:
    verdict = await run(Rectifier(Crm(a=contact())), of=task(Action.RECTIFY, JANE), by=SERVED)
    assert told(verdict) == [("refused", 0, "no_corrections")]


@pytest.mark.parametrize(
    ("field", "one", "other", "equal"),
    [
        ("contact.email", "Jane@Example.org ", "jane@example.org", True),
        ("contact.phone", "+31 (0)6-12", "+31 06 12", True),
        ("contact.phone", "0031612", "+31612", True),
        ("contact.name", "jane", "Jane", False),
        ("contact.name", " Jane", "Jane", True),
        ("contact.name", None, "", True),
        ("contact.name", None, "Jane", False),
        ("account.customer_id", "c-1", "C-1", False),
    ],
)
def test_values_are_compared_by_what_they_mean(field: str, one: str | None, other: str, equal: bool) -> None:
    assert same(field, one, other) is equal


class Tidying(Rectifier):
    """A vendor that writes every value in its own spelling."""

    async def rectify(self, ctx: Context, changes: Sequence[Change]) -> Any:
        for change in changes:
            for one in change.corrections:
                self.crm.write(change.item.ref, one.field, one.new.upper())
        return [Result(change.item, Disposition.RECTIFIED) for change in changes]


async def test_another_spelling_of_an_identity_is_no_difference() -> None:
    crm = Crm(a=contact())
    assert told(await rectified(crm, EMAIL, kind=Tidying)) == [("rectified", 1, None)]
    assert len(crm.writes) == 1


async def test_another_spelling_of_anything_else_ends_with_a_person_and_not_in_a_loop() -> None:
    crm = Crm(a=contact())
    assert await rectified(crm, NAME, kind=Tidying) == Park(AttentionReason.RESIDUE_REMAINS, "residue_remains")
    assert len(crm.writes) == 3
    known = Correction("contact.name", "Jane", "Jané")
    crm = Crm(a=contact())
    parked = Park(AttentionReason.RESIDUE_REMAINS, "value_differs_after_write")
    assert await rectified(crm, known, kind=Tidying) == parked
    assert len(crm.writes) == 1, "what holds neither old nor new after a write is overwritten by nobody"


async def test_an_item_with_another_persons_address_is_left_alone() -> None:
    crm, ledger = Crm(a=contact()), MemoryLedger(crash=Crash(at=7))
    with pytest.raises(Crashed):
        await rectified(crm, ledger=ledger)
    crm.contacts["a"]["contact.email"] = "stranger@example.org"
    assert await rectified(crm, ledger=ledger) == Park(AttentionReason.WRONG_PERSON, "item_changed_hands")


async def test_an_item_that_was_removed_meanwhile_is_not_found() -> None:
    crm, ledger = Crm(a=contact()), MemoryLedger(crash=Crash(at=6))
    with pytest.raises(Crashed):
        await rectified(crm, ledger=ledger)
    crm.contacts.clear()
    assert told(await rectified(crm, ledger=ledger)) == [("not_found", 1, None)]


async def test_a_reply_that_was_lost_after_the_write_is_our_own_doing() -> None:
    class Mute(Rectifier):
        async def rectify(self, ctx: Context, changes: Sequence[Change]) -> Any:
            await Rectifier.rectify(self, ctx, changes)
            raise RetryLater("unreachable")

    crm, ledger = Crm(a=contact()), MemoryLedger()
    assert await rectified(crm, ledger=ledger, kind=Mute) == Again("unreachable")
    assert told(await rectified(crm, ledger=ledger)) == [("rectified", 1, None)]
    assert len(crm.writes) == 1


async def test_a_part_that_was_not_written_is_written_by_a_further_pass() -> None:
    class Half(Rectifier):
        async def rectify(self, ctx: Context, changes: Sequence[Change]) -> Any:
            return await Rectifier.rectify(self, ctx, [Change(one.item, one.corrections[:1]) for one in changes])

    crm, ledger = Crm(a=contact()), MemoryLedger()
    assert told(await rectified(crm, EMAIL, NAME, ledger=ledger, kind=Half)) == [("rectified", 1, None)]
    assert ledger.pass_no == 2
    assert crm.contacts["a"] == contact(NEW, "Jané")


async def test_what_the_vendor_can_not_do_is_refused_with_its_reason() -> None:
    class Unable(Rectifier):
        async def rectify(self, ctx: Context, changes: Sequence[Change]) -> Any:
            raise CannotFulfil("read_only_account")

    assert told(await rectified(Crm(a=contact()), kind=Unable)) == [("refused", 1, "read_only_account")]


async def test_what_was_written_before_the_vendor_gave_up_is_told_as_written() -> None:
    class GivingUp(Rectifier):
        async def rectify(self, ctx: Context, changes: Sequence[Change]) -> Any:
            await Rectifier.rectify(self, ctx, changes[:1])
            raise CannotFulfil("read_only_account")

    crm = Crm(a=contact(), b=contact())
    assert told(await rectified(crm, kind=GivingUp)) == [("rectified", 1, None), ("refused", 1, "read_only_account")]


async def test_a_job_is_waited_for_and_what_was_refused_before_is_still_told() -> None:
    clock = Time()

    class Slow(Rectifier):
        async def rectify(self, ctx: Context, changes: Sequence[Change]) -> Any:
            return Wait("job", ctx.now() + timedelta(hours=1), ctx.now() + timedelta(days=1), "queued")

        async def resume(self, ctx: Context, wait: Wait, answer: bytes | None = None) -> Any:
            self.crm.write("a", "contact.email", NEW)
            return [Result(Item("a", "contact", JANE), Disposition.RECTIFIED)]

    crm, ledger = Crm(a=contact(name="Joan")), MemoryLedger()
    more: dict[str, Any] = {"ledger": ledger, "kind": Slow, "clock": clock}
    corrections = (EMAIL, Correction("contact.name", "Jane", "Jané"))
    assert await rectified(crm, *corrections, **more) == Again("queued", Phase.WAITING_EXTERNAL, 3_600.0)
    clock.advance(timedelta(hours=1))
    assert told(await rectified(crm, *corrections, **more)) == [
        ("rectified", 1, None),
        ("refused", 1, "old_value_differs"),
    ]


@pytest.mark.parametrize(
    ("read", "defect"),
    [
        ([], "item_not_read"),
        ([Values(Item("z", "contact", JANE), {"contact.email": OLD})], "values_of_unknown_item"),
        ([Values(Item("a", "contact", JANE), {})], "values_missing"),
        (["nonsense"], "values_of_unknown_item"),
    ],
)
async def test_a_reading_out_of_shape_is_a_defect(read: list[Any], defect: str) -> None:
    class Odd(Rectifier):
        def read(self, ctx: Context, items: Sequence[Item], fields: Sequence[str]) -> Any:
            return read

    assert await rectified(Crm(a=contact()), kind=Odd) == Again(defect, counts=True)


async def test_without_a_second_look_it_is_not_checkable() -> None:
    blind = SERVED.model_copy(update={"actions": {Action.RECTIFY: SERVED.actions[Action.RECTIFY].model_copy()}})
    blind = Manifest.model_validate(blind.model_dump(mode="json") | {"actions": {"rectify": {"verify": False}}})
    verdict = await run(Rectifier(Crm(a=contact())), of=task(Action.RECTIFY, JANE, corrections=(EMAIL,)), by=blind)
    assert isinstance(verdict, Settled)
    assert [line.checked for line in verdict.lines] == [Checked.NOT_CHECKABLE]


@settings(max_examples=300, deadline=None)
@given(deaths=st.lists(st.integers(0, 40), max_size=5), lies=st.integers(0, 2), already=st.booleans())
async def test_however_often_it_dies_it_ends_as_what_it_did(deaths: list[int], lies: int, already: bool) -> None:
    crm, ledger = Crm(a=contact(), b=contact(name="Jané" if already else "Jane")), MemoryLedger()
    crm.lies = lies
    verdict: Verdict | None = None
    for at in [*deaths, None, None]:
        ledger.crash = crm.crash = Crash(at=at)
        try:
            verdict = await rectified(crm, EMAIL, NAME, ledger=ledger)
        except Crashed:
            continue
        break
    assert verdict is not None
    assert told(verdict) == [("rectified", 2, None)]
    assert list(crm.contacts.values()) == [contact(NEW, "Jané")] * 2
    written = {(ref, field) for ref, field in crm.writes}
    assert (("b", "contact.name") in written) is not already
    assert len(crm.writes) == len(written), "a value that stands there is written again by nobody"


async def test_a_crash_never_makes_our_own_write_somebody_elses() -> None:
    calm = MemoryLedger()
    await rectified(Crm(a=contact()), ledger=calm)
    for step in range(calm.crash.steps):
        crm, ledger = Crm(a=contact()), MemoryLedger(crash=Crash(at=step))
        with pytest.raises(Crashed):
            await rectified(crm, ledger=ledger)
        assert told(await rectified(crm, ledger=ledger)) == [("rectified", 1, None)], step
