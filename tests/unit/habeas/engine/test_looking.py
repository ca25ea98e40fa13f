"""Resolve, preview and recheck: the actions that only look."""

from collections.abc import AsyncIterator
from datetime import date

from habeas.engine import OutcomeLine, Park, Settled
from habeas.sdk import Action, Context, Disposition, Identity, IdentityType, Item, RetentionRule, Unlisted
from habeas.testing import MemoryLedger
from habeas.vocabulary import AttentionReason, Checked
from tests.unit.habeas.engine.vendor import STRANGER, SUBJECT, Vendor, VendorProcessor, manifest, run, task, vendor_with

EMAIL = Identity(IdentityType.EMAIL, "jane@example.com")
SERVED = manifest(resolves=["email"], actions={"resolve": {}, "preview": {}, "recheck": {}})


class Resolver(VendorProcessor):
    found: tuple[Identity, ...] = (EMAIL, Identity(IdentityType.EMAIL, "JANE@example.com"), SUBJECT, STRANGER)

    async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity | Unlisted]:
        for identity in self.found:
            yield identity
        async for item in VendorProcessor.locate(self, ctx):
            yield item


async def test_resolve_yields_new_identities_of_named_types_once() -> None:
    ledger = MemoryLedger()
    verdict = await run(Resolver(vendor_with("a")), ledger, of=task(Action.RESOLVE), by=SERVED)
    assert verdict == Settled((), identities=(EMAIL,))
    assert not ledger.items
    assert ledger.identities == [EMAIL]


async def test_resolve_again_tells_what_is_stored() -> None:
    ledger = MemoryLedger()
    first = await run(Resolver(Vendor()), ledger, of=task(Action.RESOLVE), by=SERVED)
    silent = Resolver(Vendor())
    silent.found = ()
    assert await run(silent, ledger, of=task(Action.RESOLVE), by=SERVED) == first


async def test_a_crowd_is_no_person() -> None:
    crowd = Resolver(Vendor())
    crowd.found = tuple(Identity(IdentityType.EMAIL, f"{number}@example.com") for number in range(500))
    verdict = await run(crowd, of=task(Action.RESOLVE), by=SERVED)
    assert verdict == Park(AttentionReason.AMBIGUOUS_IDENTITY, "too_many_identities")


async def test_a_preview_counts_and_touches_nothing() -> None:
    vendor = vendor_with("a", "b")
    vendor.things["c"] = (SUBJECT, "contact", date(2026, 1, 31))
    asked = task(Action.PREVIEW, retention=(RetentionRule("contact", "contract", 12),))
    assert await run(VendorProcessor(vendor), of=asked, by=SERVED) == Settled(
        (
            OutcomeLine("contact", Disposition.RETAINED, 1, Checked.VERIFIED, "contract", date(2027, 1, 31)),
            OutcomeLine("files", Disposition.NOT_APPLICABLE, 2, Checked.VERIFIED, reason="would_be_touched"),
        )
    )
    assert not vendor.effects


async def test_a_preview_tells_what_would_be_kept_because_it_goes_with_something_that_is() -> None:
    class Bundled(VendorProcessor):
        def taken_with(self, item: Item) -> str:
            return "contact"

    vendor = vendor_with("a")
    vendor.things["c"] = (SUBJECT, "contact", date(2026, 1, 31))
    asked = task(Action.PREVIEW, retention=(RetentionRule("contact", "contract", 12),))
    verdict = await run(Bundled(vendor), of=asked, by=SERVED)
    assert isinstance(verdict, Settled)
    assert [(line.category, line.disposition, line.reason) for line in verdict.lines] == [
        ("contact", Disposition.RETAINED, None),
        ("files", Disposition.RETAINED, "kept_together"),
    ]


async def test_a_recheck_tells_what_should_be_gone() -> None:
    verdict = await run(VendorProcessor(vendor_with("a")), of=task(Action.RECHECK), by=SERVED)
    assert verdict == Settled((OutcomeLine("files", Disposition.FAILED, 1, Checked.VERIFIED, reason="still_there"),))
    clean = await run(VendorProcessor(Vendor()), of=task(Action.RECHECK), by=SERVED)
    assert clean == Settled((OutcomeLine("all", Disposition.NOT_FOUND, 0, Checked.VERIFIED),))
