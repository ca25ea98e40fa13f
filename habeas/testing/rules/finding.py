"""Finding: all of the subject's, nobody else's, and never "nothing" where nobody could look."""

from habeas.engine import Again, Park, Settled
from habeas.sdk import Action, Disposition, Identity, IdentityType
from habeas.testing.rules.kit import Kit, all_gone, nothing_found, settled
from habeas.testing.trial import Trial
from habeas.testing.vendor import NotArranged, VendorUnderTest
from habeas.vocabulary import Checked, Phase

# What a search that takes its argument for a pattern, or for code, would match with everybody.
PATTERNS = ("*", "%", "_", ".*", "' OR '1'='1", "\\", '"', "a,b", "{}", "../", "*@example.org", "\u202e")

FOREIGN = (
    "look by `ctx.identities` alone, which are of the types that `accepts` names, and let `matched` of each item be "
    "the one of them by which it was found"
)

CAPITALS = (
    "people write an address with or without capitals, and a request hands it over as they did: compare e-mail "
    "addresses without regard to case, and look under both spellings where the vendor's search is exact"
)


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
            assert verdict.phase is Phase.RETRYING, "the vendor was busy and it returned a Wait: raise RetryLater"
            await vendor.calm()
            all_gone(await trial.finish(), vendor)
            assert await vendor.remains(trial.identities) == 0, (
                "the vendor was busy, then calm, and still holds something: begin anew with each run"
            )

        self._tell(story, Action.ERASE)

    def test_identities_of_a_foreign_type_are_not_asked_about(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            accepts = set(vendor.manifest.accepts)
            foreign = tuple(Identity(kind, f"kit-{kind.value}") for kind in IdentityType if kind not in accepts)
            if not foreign:
                raise NotArranged("the manifest accepts every identity type")
            told = settled(await Trial(vendor, foreign).finish(), FOREIGN).lines
            assert {line.disposition for line in told} == {Disposition.NOT_APPLICABLE}, f"it told {told}: {FOREIGN}"
            mine = await vendor.person()
            trial = Trial(vendor, (*mine, *foreign))
            verdict = await trial.finish()
            by = {known.item.matched.type for known in trial.ledger.items.values()} - accepts
            assert not by, f"it found something by {', '.join(sorted(by))}, which `accepts` does not name: {FOREIGN}"
            all_gone(settled(verdict, FOREIGN), vendor)
            assert await vendor.remains(mine) == 0, f"beside identities of other types it found less: {FOREIGN}"

        self._tell(story, Action.ERASE)

    def test_a_value_of_another_type_finds_nobody(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            if len(vendor.manifest.accepts) == 1:
                raise NotArranged("the manifest accepts one identity type alone")
            known = [one for one in await vendor.person() if one.type in vendor.manifest.accepts]
            wrong = [
                Identity(one.type, other.value)
                for one in known
                for other in known
                if other.value not in {own.value for own in known if own.type is one.type}
            ]
            if not wrong:
                raise NotArranged("let person() of your VendorUnderTest return identities of two types or more")
            for one in wrong:
                _found_nothing(
                    await Trial(vendor, (one,)).finish(),
                    f"a value of another type was given as {one.type.value} and it found something: compare an "
                    "identity with what the vendor has of that type alone",
                )

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

    def test_an_address_in_capitals_is_the_same_address(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            if IdentityType.EMAIL not in vendor.manifest.accepts:
                raise NotArranged("the manifest accepts no e-mail addresses")
            found = 0
            for one in await vendor.person():
                if one.type is IdentityType.EMAIL and one.value != one.value.upper():
                    found += 1
                    loud = Identity(one.type, one.value.upper())
                    verdict = settled(await Trial(vendor, (loud,)).finish(), CAPITALS)
                    told = any(line.checked is Checked.NOT_CHECKABLE for line in verdict.lines)
                    assert verdict.effects or told, f"an address in capitals found nothing: {CAPITALS}"
            if not found:
                raise NotArranged("let person() of your VendorUnderTest return an e-mail address")

        self._tell(story, Action.ERASE)

    def test_a_pattern_matches_nobody(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            other = await vendor.person()
            before = await vendor.remains(other)
            for pattern in PATTERNS:
                identities = tuple(Identity(kind, pattern) for kind in vendor.manifest.accepts)
                _found_nothing(
                    await Trial(vendor, identities).finish(),
                    f"an identity that is no more than {pattern!r} found something: escape what you search for, and "
                    "compare what comes back exactly",
                )
            assert await vendor.remains(other) == before, (
                "an identity that is no more than a pattern touched somebody: compare what comes back exactly"
            )

        self._tell(story, Action.ERASE)

    def test_resolves_only_what_its_manifest_names(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            identities = await vendor.person()
            before = await vendor.remains(identities)
            verdict = await Trial(vendor, identities, action=Action.RESOLVE).finish()
            told = settled(verdict, "to resolve is to yield what `locate` knows the person by")
            more = {identity.type for identity in told.identities} - set(vendor.manifest.resolves)
            assert not more, f"it resolved {', '.join(sorted(more))}: name in `resolves` of the manifest what it yields"
            assert await vendor.remains(identities) == before, "to resolve is to look: it changed something"

        self._tell(story, Action.RESOLVE)


def _found_nothing(verdict: Settled | Park, hint: str) -> None:
    """See that nothing was found; what the vendor can not list may be told as that."""
    told = settled(verdict, hint).lines
    found = [line for line in told if line.checked is not Checked.NOT_CHECKABLE]
    assert {line.disposition for line in found} <= {Disposition.NOT_FOUND, Disposition.REFUSED}, f"{hint} ({told})"


def _found_by(kind: IdentityType, verdict: Settled) -> None:
    """See that one identity alone led to something, or that it is said what nobody could look for by it."""
    assert verdict.effects or any(line.checked is Checked.NOT_CHECKABLE for line in verdict.lines), (
        f"somebody known by {kind.value} alone, and it told {verdict.lines}: let `locate` go by every identity of the "
        "task, each by itself, and yield Unlisted for what cannot be found by it; or take its type out of `accepts`"
    )
