"""The conformance kit: what every processor must do, as tests that an author inherits.

    class TestHubSpot(ProcessorConformance):
        def vendor(self):
            return MyVendorUnderTest(...)

Tests are plain functions with an event loop of their own, so they need pytest and none of its plugins.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from habeas.engine import Again, Park, Settled, Verdict
from habeas.sdk import Action, Disposition
from habeas.testing.memory import Crash, Crashed, DyingLedger, MemoryLedger
from habeas.testing.trial import Trial
from habeas.testing.vendor import NotArranged, VendorUnderTest
from habeas.vocabulary import DONE, AttentionReason, Checked, Phase


class ProcessorConformance(ABC):
    """Subclass it, return your vendor from `vendor`, and every test below is yours."""

    people_are_alike: bool = True
    """Whether every person of the vendor under test has equally many things, so that counts can be compared."""

    @abstractmethod
    def vendor(self) -> VendorUnderTest:
        """Return the vendor under test, calm and reachable."""

    def test_erases_everything_and_looks_again(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            trial = Trial(vendor, await vendor.person())
            assert await vendor.remains(trial.identities) > 0, "person() must put something there"
            _assert_all_gone(await trial.finish(), vendor)
            assert await vendor.remains(trial.identities) == 0
            assert trial.ledger.effects > 0

        self._tell(story)

    def test_leaves_everybody_else_alone(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            other = await vendor.person()
            before = await vendor.remains(other)
            await Trial(vendor, await vendor.person()).finish()
            assert await vendor.remains(other) == before

        self._tell(story)

    def test_says_nothing_found_of_somebody_unknown(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            verdict = await Trial(vendor, await vendor.nobody()).finish()
            assert isinstance(verdict, Settled)
            assert {line.disposition for line in verdict.lines} == {Disposition.NOT_FOUND}
            assert verdict.effects == 0, "an unknown person must leave no trace"

        self._tell(story)

    def test_a_crash_at_any_step_loses_nothing(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            calm = Trial(vendor, await vendor.person())
            whole = _counted(await calm.finish())
            for step in range(calm.ledger.crash.steps):
                trial = Trial(vendor, await vendor.person(), ledger=MemoryLedger(crash=Crash(at=step)))
                with pytest.raises(Crashed):
                    await trial.finish()
                verdict = await trial.finish()
                _assert_all_gone(verdict, vendor)
                assert await vendor.remains(trial.identities) == 0
                assert _counted(verdict) > 0, f"after a crash at step {step} it said that nothing was there"
                assert (_counted(verdict) == whole) or not self.people_are_alike

        self._tell(story)

    def test_a_busy_vendor_is_not_an_empty_one(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            trial = Trial(vendor, await vendor.person())
            await vendor.busy()
            verdict = await trial.run()
            assert isinstance(verdict, Again), "unreachable never means nothing found"
            assert not verdict.counts, "a busy vendor uses up no attempt"
            assert verdict.phase is Phase.RETRYING
            await vendor.calm()
            _assert_all_gone(await trial.finish(), vendor)
            assert await vendor.remains(trial.identities) == 0

        self._tell(story)

    def test_a_lying_vendor_is_caught(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            trial = Trial(vendor, await vendor.person())
            await vendor.lie()
            verdict = await trial.finish()
            assert isinstance(verdict, Park), "it believed the vendor"
            assert verdict.attention is AttentionReason.RESIDUE_REMAINS
            await vendor.calm()

        self._tell(story)

    def test_what_changed_hands_is_left_alone(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            owner = await vendor.person()
            before = await vendor.remains(owner)
            trial = Trial(vendor, owner, ledger=DyingLedger())
            with pytest.raises(Crashed):
                await trial.run()
            trial.identities = await vendor.person()  # the stored items are now somebody else's
            verdict = await trial.finish()
            assert isinstance(verdict, Park), "`reread` must say whose an item is now"
            assert verdict.attention is AttentionReason.WRONG_PERSON
            assert await vendor.remains(owner) == before

        self._tell(story)

    def test_a_cancel_before_the_first_effect_leaves_everything(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            identities = await vendor.person()
            before = await vendor.remains(identities)
            for cancel in (True, _once_located):
                trial = Trial(vendor, identities, ledger=MemoryLedger(cancel=cancel))
                verdict = await trial.finish()
                assert isinstance(verdict, Settled)
                assert verdict.cancelled
                assert verdict.effects == 0
            assert await vendor.remains(identities) == before

        self._tell(story)

    def test_resolves_only_what_its_manifest_names(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            if Action.RESOLVE not in vendor.manifest.actions:
                raise NotArranged
            identities = await vendor.person()
            before = await vendor.remains(identities)
            verdict = await Trial(vendor, identities, action=Action.RESOLVE).finish()
            assert isinstance(verdict, Settled)
            assert {identity.type for identity in verdict.identities} <= set(vendor.manifest.resolves)
            assert await vendor.remains(identities) == before

        self._tell(story)

    def test_logs_hold_no_personal_data(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)

        async def story(vendor: VendorUnderTest) -> None:
            trial = Trial(vendor, await vendor.person())
            verdict = await trial.finish()
            secrets = {identity.value for identity in trial.identities}
            secrets |= {known.item.ref for known in trial.ledger.items.values() if len(known.item.ref) > 5}
            told = f"{caplog.text} {verdict!r} {trial.ledger.items!r}"
            leaked = [identity.type for identity in trial.identities if identity.value in told]
            assert not leaked, f"personal data in logs or in a repr: {leaked}"
            assert not any(secret in told for secret in secrets), "the vendor's references in logs or in a repr"

        self._tell(story)

    def _tell(self, story: Callable[[VendorUnderTest], Coroutine[Any, Any, None]]) -> None:
        vendor = self.vendor()
        try:
            asyncio.run(story(vendor))
        except NotArranged as error:
            pytest.skip(str(error))


def _assert_all_gone(verdict: Verdict, vendor: VendorUnderTest) -> None:
    assert isinstance(verdict, Settled), verdict
    assert verdict.lines
    assert {line.disposition for line in verdict.lines} <= DONE, verdict.lines
    if vendor.manifest.actions[Action.ERASE].verify:
        assert {line.checked for line in verdict.lines} == {Checked.VERIFIED}


def _counted(verdict: Settled | Park) -> int:
    return sum(line.count for line in verdict.lines) if isinstance(verdict, Settled) else 0


def _once_located(ledger: MemoryLedger) -> bool:
    return ledger.complete
