"""Erasure: everything of the subject, nothing of anybody else, seen to be gone, and kept where it must be kept."""

import pytest

from habeas.engine import Park, Settled
from habeas.sdk import Action, Disposition, RetentionRule
from habeas.testing.memory import Crashed, DyingLedger, MemoryLedger
from habeas.testing.rules.kit import Kit, all_gone, by_key, held, nothing_found, settled
from habeas.testing.tampering import pretending_to_erase
from habeas.testing.trial import Trial
from habeas.testing.vendor import NotArranged, VendorUnderTest
from habeas.vocabulary import DONE, AttentionReason

GROUND = "kit_ground"


class ErasureRules(Kit):
    """What `reread`, `erase` and `verify` must keep to."""

    def test_erases_everything_and_looks_again(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            trial = Trial(vendor, await vendor.person())
            assert await vendor.remains(trial.identities) > 0, (
                "person() of your VendorUnderTest must put something there"
            )
            all_gone(await trial.finish(), vendor)
            left = await vendor.remains(trial.identities)
            assert left == 0, f"it says that all is erased, and the vendor still holds {left}: does `locate` find all?"
            assert trial.ledger.effects > 0, "something was erased, and no result says so"

        self._tell(story, Action.ERASE)

    def test_leaves_everybody_else_alone(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            other = await vendor.person()
            before = await vendor.remains(other)
            await Trial(vendor, await vendor.person()).finish()
            assert await vendor.remains(other) == before, (
                "it touched somebody else: `locate` must compare the identity of each candidate exactly"
            )

        self._tell(story, Action.ERASE)

    def test_what_is_already_erased_is_no_error(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            identities = await vendor.person()
            all_gone(await Trial(vendor, identities).finish(), vendor)
            nothing_found(await Trial(vendor, identities).finish())

        self._tell(story, Action.ERASE)

    def test_what_another_erased_meanwhile_is_already_done(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            trial = Trial(vendor, await vendor.person(), ledger=DyingLedger())
            with pytest.raises(Crashed):
                await trial.run()
            all_gone(await Trial(vendor, trial.identities).finish(), vendor)
            verdict = settled(await trial.finish())
            told = {line.disposition for line in verdict.lines}
            assert told <= DONE, f"what is gone is gone, yet it tells {verdict.lines}"
            assert Disposition.ALREADY_DONE in told, (
                "it was erased by somebody else and is told as our own doing: `reread` must leave out what is gone"
            )

        self._tell(story, Action.ERASE)

    def test_a_lying_vendor_is_caught(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            trial = Trial(vendor, await vendor.person())
            await vendor.lie()
            _caught(await trial.finish())
            await vendor.calm()

        self._tell(story, Action.ERASE)

    def test_verify_really_reads_again(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            if not vendor.manifest.actions[Action.ERASE].verify:
                raise NotArranged("the manifest says that this vendor lets nobody look again: [actions.erase] verify")
            trial = Trial(vendor, await vendor.person(), tampered=pretending_to_erase)
            _caught(await trial.finish())

        self._tell(story, Action.ERASE)

    def test_what_changed_hands_is_left_alone(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            owner = await vendor.person()
            before = await vendor.remains(owner)
            trial = Trial(vendor, owner, ledger=DyingLedger())
            with pytest.raises(Crashed):
                await trial.run()
            trial.identities = await vendor.person()  # the stored items are now somebody else's
            verdict = await trial.finish()
            assert isinstance(verdict, Park), (
                f"the items were another person's and it told {verdict}: `reread` must say whose an item is now, as "
                "the vendor has it, and not whose it was or whose task it is"
            )
            assert verdict.attention is AttentionReason.WRONG_PERSON, (
                f"the items were another person's and it was parked for {verdict.attention}: let `reread` yield what "
                "is there, whosever it is, and raise nothing"
            )
            assert await vendor.remains(owner) == before, "it touched what was another person's by then"

        self._tell(story, Action.ERASE)

    def test_a_cancel_before_the_first_effect_leaves_everything(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            identities = await vendor.person()
            before = await vendor.remains(identities)
            for cancel in (True, _once_located):
                verdict = settled(await Trial(vendor, identities, ledger=MemoryLedger(cancel=cancel)).finish())
                assert verdict.cancelled, "a cancel came before the first effect, and the task went on"
                assert verdict.effects == 0, "a cancel came before the first effect, and there was one: look alone"
            assert await vendor.remains(identities) == before, (
                "it was cancelled, and something is gone: `locate` only reads"
            )

        self._tell(story, Action.ERASE)

    def test_what_must_be_kept_is_kept(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            identities = tuple(await vendor.person())
            for category in sorted({category for category, _ in await held(vendor, identities)}):
                await _keeps(vendor, category)

        self._tell(story, Action.ERASE)


async def _keeps(vendor: VendorUnderTest, category: str) -> None:
    """Erase a new person of whom `category` must be kept, and see that it is there afterwards."""
    identities = tuple(await vendor.person())
    trial = Trial(vendor, identities, retention=(RetentionRule(category, GROUND, 1_200),))
    verdict = settled(await trial.finish())
    kept = {
        key
        for key, known in by_key(trial.ledger).items()
        if known.result is not None
        and known.result.disposition is Disposition.RETAINED
        and known.result.ground == GROUND
    }
    assert {key for key in by_key(trial.ledger) if key[0] == category} <= kept, (
        f"{category} must be kept, and it told {verdict.lines}: an item's category must be the one that the rule names"
    )
    of_category = [known for key, known in by_key(trial.ledger).items() if key[0] == category]
    endless = [known for known in of_category if known.result is not None and known.result.until is None]
    assert not endless or any(known.item.dated is None for known in of_category), (
        f"{category} has a date and is kept without an end: `reread` must give `dated` as `locate` gives it"
    )
    gone = kept - (await held(vendor, identities)).keys()
    assert not gone, (
        f"{len(gone)} of the {category} that must be kept are gone with something else: `taken_with` must name what "
        "takes them along"
    )


def _caught(verdict: Settled | Park) -> None:
    assert isinstance(verdict, Park), (
        f"nothing was erased and it told {verdict}: it believed the vendor. `reread`, `locate` and `verify` must ask "
        "the vendor again, and remember nothing"
    )
    assert verdict.attention is AttentionReason.RESIDUE_REMAINS, (
        f"nothing was erased and it was parked for {verdict.attention}: what is still there `reread` yields again"
    )


def _once_located(ledger: MemoryLedger) -> bool:
    return ledger.complete
