"""Restriction, its end, and stopping: the data stays, the mark is set, and twice is as good as once."""

import pytest

from habeas.sdk import Action, Disposition
from habeas.testing.memory import Crash, Crashed, MemoryLedger
from habeas.testing.rules.kit import Kit, WatchedLedger, nothing_found, settled
from habeas.testing.trial import Trial
from habeas.testing.vendor import VendorUnderTest

WORDS = {
    Action.RESTRICT: {Disposition.RESTRICTED},
    Action.LIFT: {Disposition.LIFTED},
    Action.STOP: {Disposition.STOPPED, Disposition.SUPPRESSED},
}

each_action = pytest.mark.parametrize("action", WORDS, ids=[action.value for action in WORDS])


class StandingRules(Kit):
    """What `restrict`, `lift` and `stop` must keep to."""

    @each_action
    def test_data_stays_where_it_is(self, action: Action) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            identities = await vendor.person()
            before = await vendor.remains(identities)
            told = settled(await Trial(vendor, identities, action=action).finish())
            assert told.lines, f"{action.value} settled without a word"
            assert {line.disposition for line in told.lines} <= WORDS[action], f"{action.value} told {told.lines}"
            assert await vendor.remains(identities) == before, f"{action.value} took data away: only erasures erase"

        self._tell(story, action)

    @each_action
    def test_twice_is_as_good_as_once(self, action: Action) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            identities = await vendor.person()
            settled(await Trial(vendor, identities, action=action).finish())
            again = settled(await Trial(vendor, identities, action=action).finish())
            told = {line.disposition for line in again.lines}
            assert told <= WORDS[action] | {Disposition.ALREADY_DONE}, (
                f"{action.value} was done already and it told {again.lines}: say `already_done`, or do it again"
            )
            calm = await _calm(vendor, action)
            for step in self._some_of(calm.crash.steps, surely=calm.remembered_at):
                trial = Trial(vendor, await vendor.person(), action=action, ledger=MemoryLedger(crash=Crash(at=step)))
                with pytest.raises(Crashed):
                    await trial.finish()
                told = {line.disposition for line in settled(await trial.finish()).lines}
                assert told <= WORDS[action] | {Disposition.ALREADY_DONE}, (
                    f"after a crash at step {step} it told {told}"
                )

        self._tell(story, action)

    @each_action
    def test_nothing_is_done_to_somebody_unknown(self, action: Action) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            nothing_found(await Trial(vendor, await vendor.nobody(), action=action).finish())

        self._tell(story, action)


async def _calm(vendor: VendorUnderTest, action: Action) -> WatchedLedger:
    ledger = WatchedLedger(vendor=vendor)
    settled(await Trial(vendor, await vendor.person(), action=action, ledger=ledger).finish())
    return ledger
