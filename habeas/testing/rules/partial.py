"""Partly: where the vendor does some of it and refuses the rest, what was done is told as done and the rest is not."""

from collections.abc import Callable
from functools import partial

from habeas.engine import Again, Park, Settled, Verdict
from habeas.sdk import Action, Disposition
from habeas.testing import faults
from habeas.testing.memory import MemoryExports
from habeas.testing.rules.exporting import plain
from habeas.testing.rules.kit import READS, Kit, WatchedLedger, all_gone, by_key, held, settled
from habeas.testing.rules.rectifying import Case
from habeas.testing.trial import MOST_RUNS, Trial
from habeas.testing.vendor import NotArranged, VendorUnderTest
from habeas.vocabulary import DONE, AttentionReason, Phase

JUDGE = (
    "judge the answer to each call, and what it says of each thing; give a thing that was not done a Result with "
    "`refused` or `failed` and a note, or raise one of the errors of habeas.sdk"
)
_UNDONE = frozenset({Disposition.REFUSED, Disposition.FAILED, Disposition.RETAINED})
# What is kept on a list, or emptied, may still be found.
_GOES = DONE - {Disposition.SUPPRESSED, Disposition.ANONYMISED}


class PartialRules(Kit):
    """What `erase`, `rectify` and `export` must keep to when a part of it can not be done."""

    def test_a_call_that_fails_for_good_is_not_told_as_done(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            effects = await _effects(vendor, partial(Trial, vendor, await vendor.person()))
            for place in self._some_of(len(effects)):
                number = effects[place]
                trial = Trial(vendor, await vendor.person())
                await vendor.suffer("fails_for_good", faults.failing_for_good(number))
                verdict = await _as_far_as_it_goes(trial)
                await vendor.recover()
                when = f"call {number} was refused for good (422)"
                await _told_as_it_is(trial, verdict, when)
                if not isinstance(verdict, Settled):
                    all_gone(await trial.finish(), vendor)

        self._tell(story, Action.ERASE)

    def test_a_correction_that_fails_for_good_is_not_told_as_written(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            for field in vendor.manifest.fields:
                calm = await Case.of(vendor, field)
                effects = await _effects(vendor, calm.trial)
                for place in self._some_of(len(effects)):
                    case = await Case.of(vendor, field)
                    trial = case.trial()
                    await vendor.suffer("fails_for_good", faults.failing_for_good(effects[place]))
                    verdict = await _as_far_as_it_goes(trial)
                    await vendor.recover()
                    when = f"call {effects[place]} was refused for good (422)"
                    _not_told_too_soon(verdict, when)
                    if isinstance(verdict, Settled):
                        done = {line.disposition for line in verdict.lines} <= DONE
                        await case.holds(case.new if done else case.old, f"{when} and it told {verdict.lines}")
                    else:
                        await case.ends_well(trial, f"{when}, and then no more,")

        self._tell(story, Action.RECTIFY)

    def test_what_is_done_in_part_is_told_in_part(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            await vendor.partly()
            trial = Trial(vendor, await vendor.person())
            verdict = await _as_far_as_it_goes(trial)
            left = await vendor.remains(trial.identities)
            assert left > 0, "partly() of your VendorUnderTest must keep something of each person from going"
            await _told_as_it_is(trial, verdict, "the vendor did a part and refused the rest")

        self._tell(story, Action.ERASE)

    def test_a_copy_that_lacks_something_for_good_is_not_told_as_whole(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            person = await vendor.person()
            async with vendor.open():
                pass
            await vendor.recover()
            calm = MemoryExports()
            settled(await Trial(vendor, person, action=Action.EXPORT, exports=calm).finish())
            calls = vendor.calls
            if not calls:
                raise NotArranged("give `transport=self.transport()` to Http in open() of your VendorUnderTest")
            for number in self._some_of(calls):
                exports = MemoryExports()
                await vendor.suffer("fails_for_good", faults.failing_for_good(number))
                verdict = await _as_far_as_it_goes(Trial(vendor, person, action=Action.EXPORT, exports=exports))
                await vendor.recover()
                assert not _told_as_whole(verdict) or (
                    exports.finished is not None and plain(exports) == plain(calm)
                ), (
                    f"call {number} of {calls} was refused for good (422), the copy lacks something and is told as "
                    "whole: judge the status of each answer, and let `locate` yield Unlisted for what is not handed out"
                )

        self._tell(story, Action.EXPORT)


async def _effects(vendor: VendorUnderTest, calm: Callable[..., Trial]) -> list[int]:
    """Return the numbers of those calls of a calm task that do not only read, from its first effect on."""
    async with vendor.open():
        pass
    await vendor.recover()
    ledger = WatchedLedger(vendor=vendor)
    settled(await calm(ledger=ledger).finish())
    if not vendor.calls:
        raise NotArranged("give `transport=self.transport()` to Http in open() of your VendorUnderTest")
    calls = vendor.seen[-vendor.calls :]
    begun = vendor.calls if ledger.begun_at is None else ledger.begun_at
    return [number for number, call in enumerate(calls) if number >= begun and call.method not in READS]


async def _as_far_as_it_goes(trial: Trial) -> Verdict:
    """Run until the task is over, parked, or tried again because something went wrong; let jobs take their time."""
    verdict = await trial.run()
    for _ in range(MOST_RUNS):
        if not isinstance(verdict, Again) or verdict.phase is not Phase.WAITING_EXTERNAL:
            break
        trial.let_pass(verdict)
        verdict = await trial.run()
    return verdict


async def _told_as_it_is(trial: Trial, verdict: Verdict, when: str) -> None:
    """See that the vendor holds nothing of what is told as done, and all of what is told as not done."""
    _not_told_too_soon(verdict, when)
    there = (await held(trial.vendor, tuple(trial.identities))).keys()
    told = {key: known.result.disposition for key, known in by_key(trial.ledger).items() if known.result is not None}
    lied = [key for key, disposition in told.items() if disposition in _GOES and key in there]
    assert not lied, f"{when}, and {len(lied)} things that are still there are told as done: {JUDGE}"
    lost = [key for key, disposition in told.items() if disposition in _UNDONE and key not in there]
    assert not lost, (
        f"{when}, and {len(lost)} things that are gone are told as not done: give each thing a Result of its own, and "
        "let RetryLater and CannotFulfil pass; the engine looks what was done before them"
    )


def _not_told_too_soon(verdict: Verdict, when: str) -> None:
    assert not (isinstance(verdict, Park) and verdict.attention is AttentionReason.RESIDUE_REMAINS), (
        f"{when}, and it was told as done until somebody looked again: {JUDGE}"
    )


def _told_as_whole(verdict: Verdict) -> bool:
    return isinstance(verdict, Settled) and {line.disposition for line in verdict.lines} <= {Disposition.EXPORTED}
