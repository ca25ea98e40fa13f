"""Rectification: the new value where the old one was, once, and told as what it was."""

from collections.abc import Awaitable, Callable

import pytest

from habeas.engine import Park, Settled
from habeas.engine.rectifying import same
from habeas.sdk import Action, Correction, Disposition, Identity
from habeas.testing import faults
from habeas.testing.memory import Crash, Crashed, DyingLedger, MemoryLedger
from habeas.testing.rules.kit import Kit, WatchedLedger, changed, nothing_found, settled
from habeas.testing.tampering import pretending_to_rectify
from habeas.testing.trial import Trial
from habeas.testing.vendor import NotArranged, VendorUnderTest
from habeas.vocabulary import AttentionReason, Checked

WROTE_NOTHING = "does `rectify` write the field that the manifest names, and does `read` read it?"


class RectificationRules(Kit):
    """What `read` and `rectify` must keep to, for every field that the manifest names."""

    def test_writes_the_new_value_and_reads_it_again(self) -> None:
        async def story(case: "Case") -> None:
            told = settled(await case.trial().finish(), WROTE_NOTHING)
            assert {line.disposition for line in told.lines} == {Disposition.RECTIFIED}, (
                f"the value was another one and it told {told.lines}: let `read` yield what the vendor holds"
            )
            if case.vendor.manifest.actions[Action.RECTIFY].verify:
                assert {line.checked for line in told.lines} == {Checked.VERIFIED}, (
                    "`read` did not yield the item again"
                )
            await case.holds(case.new, "it says that it wrote the correction")

        self._of_each_field(story)

    def test_what_is_new_already_is_already_done(self) -> None:
        async def story(case: "Case") -> None:
            settled(await case.trial().finish())
            again = settled(await case.trial(identities=case.later).finish())
            assert {line.disposition for line in again.lines} == {Disposition.ALREADY_DONE}, (
                f"the value is new already and it told {again.lines}: let `read` yield what the vendor holds"
            )
            assert again.effects == 0, "the value was new already, and it was written again"

        self._of_each_field(story)

    def test_another_old_value_is_not_overwritten(self) -> None:
        async def story(case: "Case") -> None:
            wrong = Correction(case.field, case.vendor.new_value(case.field), case.new)
            told = settled(await case.trial(wrong).finish())
            assert [(line.disposition, line.reason) for line in told.lines] == [
                (Disposition.REFUSED, "old_value_differs")
            ], f"the field did not hold the old value and it told {told.lines}"
            await case.holds(case.old, "another value stood there than the one to be replaced")

        self._of_each_field(story)

    def test_an_unknown_field_is_refused(self) -> None:
        async def story(case: "Case") -> None:
            unknown = Correction("kit.unknown", None, "x")
            told = settled(await case.trial(unknown).finish())
            refused = [(line.disposition, line.count, line.reason) for line in told.lines]
            assert refused == [(Disposition.REFUSED, 0, "unknown_field")], (
                f"nobody knows the field and it told {told.lines}: the manifest's [fields] are all that is corrected"
            )
            assert told.effects == 0, "nobody knows the field, and something was written"
            both = settled(await case.trial(unknown, case.correction).finish())
            assert {line.disposition for line in both.lines} == {Disposition.RECTIFIED, Disposition.REFUSED}, (
                f"one of two fields is known and it told {both.lines}: write the one, the engine refuses the other"
            )

        self._of_each_field(story)

    def test_a_correction_touches_nobody_else(self) -> None:
        async def story(case: "Case") -> None:
            other = await case.vendor.person()
            before = await case.vendor.value(other, case.field)
            settled(await case.trial().finish())
            assert await case.vendor.value(other, case.field) == before, "another person's value was changed"
            nothing_found(await case.trial(identities=tuple(await case.vendor.nobody())).finish())

        self._of_each_field(story)

    def test_a_crash_at_any_step_ends_as_rectified(self) -> None:
        async def story(case: "Case") -> None:
            ledger = WatchedLedger(vendor=case.vendor)
            await case.trial(ledger=ledger).finish()
            for step in self._some_of(ledger.crash.steps, surely=ledger.remembered_at):
                fresh = await Case.of(case.vendor, case.field)
                trial = fresh.trial(ledger=MemoryLedger(crash=Crash(at=step)))
                with pytest.raises(Crashed):
                    await trial.finish()
                await fresh.ends_well(trial, f"after a crash at step {step} of its ledger")

        self._of_each_field(story)

    def test_a_reply_lost_at_any_call_ends_as_rectified(self) -> None:
        async def story(case: "Case") -> None:
            async with case.vendor.open():
                pass
            await case.vendor.recover()
            ledger = WatchedLedger(vendor=case.vendor)
            await case.trial(ledger=ledger).finish()
            calls, effect = case.vendor.calls, ledger.effect_at
            if not calls:
                raise NotArranged("give `transport=self.transport()` to Http in open() of your VendorUnderTest")
            for number in self._some_of(calls, surely=effect):
                fresh = await Case.of(case.vendor, case.field)
                await case.vendor.suffer("lost_reply", faults.reply_lost(), at=number)
                await fresh.ends_well(fresh.trial(), f"after a reply lost at call {number} of {calls}")
                await case.vendor.recover()

        self._of_each_field(story)

    def test_a_correction_that_was_not_written_is_caught(self) -> None:
        async def story(case: "Case") -> None:
            if not case.vendor.manifest.actions[Action.RECTIFY].verify:
                raise NotArranged("the manifest says that this vendor lets nobody look again: [actions.rectify] verify")
            trial = case.trial()
            trial.tampered = pretending_to_rectify
            verdict = await trial.finish()
            assert isinstance(verdict, Park), (
                f"nothing was written and it told {verdict}: `read` must ask the vendor again"
            )
            assert verdict.attention is AttentionReason.RESIDUE_REMAINS, (
                f"nothing was written and it was parked for {verdict.attention}: `read` must yield each item"
            )

        self._of_each_field(story)

    def test_what_changed_hands_is_not_corrected(self) -> None:
        async def story(case: "Case") -> None:
            trial = case.trial(ledger=DyingLedger())
            with pytest.raises(Crashed):
                await trial.run()
            trial.identities = await case.vendor.person()
            verdict = await trial.finish()
            assert isinstance(verdict, Park), f"the items were another person's and it told {verdict}"
            assert verdict.attention is AttentionReason.WRONG_PERSON, (
                f"the items were another person's and it was parked for {verdict.attention}: let `reread` say whose "
                "an item is now"
            )
            await case.holds(case.old, "the item was another person's")

        self._of_each_field(story)

    def _of_each_field(self, story: Callable[["Case"], Awaitable[None]]) -> None:
        async def told(vendor: VendorUnderTest) -> None:
            for field in vendor.manifest.fields:
                await story(await Case.of(vendor, field))

        self._tell(told, Action.RECTIFY)


class Case:
    """One person whose `field` holds `old` and should hold `new`."""

    def __init__(self, vendor: VendorUnderTest, field: str, who: tuple[Identity, ...], old: str | None) -> None:
        """Take what the vendor holds; use `of`."""
        self.vendor = vendor
        self.field = field
        self.who = who
        self.old = old
        self.new = vendor.new_value(field)
        self.correction = Correction(field, old, self.new)
        self.later = changed(who, old, self.new)

    @classmethod
    async def of(cls, vendor: VendorUnderTest, field: str) -> "Case":
        """Make one of a new person."""
        who = tuple(await vendor.person())
        return cls(vendor, field, who, await vendor.value(who, field))

    def trial(
        self,
        *corrections: Correction,
        identities: tuple[Identity, ...] | None = None,
        ledger: MemoryLedger | None = None,
    ) -> Trial:
        """Return a task that corrects this field, unless others are given."""
        return Trial(
            self.vendor,
            identities or self.who,
            action=Action.RECTIFY,
            corrections=corrections or (self.correction,),
            ledger=ledger or MemoryLedger(),
        )

    async def holds(self, value: str | None, when: str) -> None:
        """See that the vendor really holds `value`, and say of the other only which field it is."""
        now = {await self.vendor.value(who, self.field) for who in {self.who, self.later}}
        assert any(same(self.field, one, value) for one in now), (
            f"{when}, and {self.field} holds {'the old value' if self.old in now else 'another value'}"
        )

    async def ends_well(self, trial: Trial, when: str) -> None:
        """Finish `trial`, and see that it wrote the value and says so."""
        told: Settled = settled(await trial.finish())
        assert {line.disposition for line in told.lines} == {Disposition.RECTIFIED}, (
            f"{when} it told {told.lines}: our own write is `rectified`"
        )
        await self.holds(self.new, when)
