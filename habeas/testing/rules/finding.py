"""Finding: all of the subject's, nobody else's, and never "nothing" where nobody could look."""

from habeas.engine import Again, Settled
from habeas.sdk import Action, Disposition, Identity, IdentityType
from habeas.testing.rules.kit import Kit, all_gone, nothing_found, settled
from habeas.testing.trial import Trial
from habeas.testing.vendor import NotArranged, VendorUnderTest
from habeas.vocabulary import Checked, Phase

# What a search that takes its argument for a pattern, or for code, would match with everybody.
PATTERNS = ("*", "%", "_", ".*", "' OR '1'='1", "\\", '"', "a,b", "{}", "../", "*@example.org", "\u202e")


class FindingRules(Kit):
    """What `locate` must keep to."""

    def test_says_nothing_found_of_somebody_unknown(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            nothing_found(await Trial(vendor, await vendor.nobody()).finish())

        self._tell(story, Action.ERASE)

    def test_a_busy_vendor_is_not_an_empty_one(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            trial = Trial(vendor, await vendor.person())
            await vendor.busy()
            verdict = await trial.run()
            assert isinstance(verdict, Again), (
                f"the vendor was busy and the task ended with {verdict}: unreachable never means nothing found, "
                "so raise RetryLater"
            )
            assert not verdict.counts, f"a busy vendor is no defect ({verdict.reason}): raise RetryLater"
            assert verdict.phase is Phase.RETRYING
            await vendor.calm()
            all_gone(await trial.finish(), vendor)
            assert await vendor.remains(trial.identities) == 0

        self._tell(story, Action.ERASE)

    def test_identities_of_a_foreign_type_are_not_asked_about(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            foreign = [kind for kind in IdentityType if kind not in vendor.manifest.accepts]
            if not foreign:
                raise NotArranged("the manifest accepts every identity type")
            verdict = settled(await Trial(vendor, tuple(Identity(kind, "x") for kind in foreign)).finish())
            assert {line.disposition for line in verdict.lines} == {Disposition.NOT_APPLICABLE}
            mine = await vendor.person()
            mixed = (*mine, *(Identity(kind, "x") for kind in foreign))
            all_gone(await Trial(vendor, mixed).finish(), vendor)
            assert await vendor.remains(mine) == 0

        self._tell(story, Action.ERASE)

    def test_each_accepted_identity_is_enough_to_begin_with(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            other = await vendor.person()
            before = await vendor.remains(other)
            for kind in vendor.manifest.accepts:
                for one in await vendor.person():
                    if one.type is kind:
                        _found_by(kind, settled(await Trial(vendor, (one,)).finish()))
            assert await vendor.remains(other) == before, "with one identity alone it touched somebody else"

        self._tell(story, Action.ERASE)

    def test_a_pattern_matches_nobody(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            other = await vendor.person()
            before = await vendor.remains(other)
            for pattern in PATTERNS:
                identities = tuple(Identity(kind, pattern) for kind in vendor.manifest.accepts)
                verdict = settled(await Trial(vendor, identities).finish())
                told = {line.disposition for line in verdict.lines}
                assert told <= {Disposition.NOT_FOUND, Disposition.REFUSED}, (
                    f"an identity that is no more than {pattern!r} found something: escape what you search for, and "
                    "compare what comes back exactly"
                )
            assert await vendor.remains(other) == before

        self._tell(story, Action.ERASE)

    def test_resolves_only_what_its_manifest_names(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            identities = await vendor.person()
            before = await vendor.remains(identities)
            verdict = await Trial(vendor, identities, action=Action.RESOLVE).finish()
            assert isinstance(verdict, Settled)
            assert {identity.type for identity in verdict.identities} <= set(vendor.manifest.resolves)
            assert await vendor.remains(identities) == before, "to resolve is to look: it changed something"

        self._tell(story, Action.RESOLVE)


def _found_by(kind: IdentityType, verdict: Settled) -> None:
    """See that one identity alone led to something, or that it is said what nobody could look for by it."""
    assert verdict.effects or any(line.checked is Checked.NOT_CHECKABLE for line in verdict.lines), (
        f"somebody known by {kind.value} alone, and it told {verdict.lines}: let `locate` go by every identity of the "
        "task, each by itself, and yield Unlisted for what cannot be found by it; or take its type out of `accepts`"
    )
