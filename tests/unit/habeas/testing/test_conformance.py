"""The conformance kit passes a sound processor and fails each kind of unsound one."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import pytest

from habeas.sdk import Answered, Context, Disposition, Identity, Item, Manifest, Processor, Result, RetryLater
from habeas.testing import ProcessorConformance, VendorUnderTest
from habeas.vocabulary import IdentityType
from tests.unit.habeas.engine.vendor import Vendor, VendorProcessor, manifest


class Sound(VendorProcessor):
    """Says "try later" when its vendor is busy."""

    busy = False

    async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity]:
        if self.busy:
            raise RetryLater("busy")
        async for item in VendorProcessor.locate(self, ctx):
            yield item


class Model(VendorUnderTest):
    """The model vendor, with the processor under test in front."""

    def __init__(self, processor: type[Sound]) -> None:
        self.vendor = Vendor()
        self.processor = processor(self.vendor)
        self.people = 0

    def open(self) -> AbstractAsyncContextManager[Processor[Any]]:
        return nullcontext(self.processor)

    @property
    def manifest(self) -> Manifest:
        return manifest()

    async def person(self) -> Sequence[Identity]:
        self.people += 1
        someone = Identity(IdentityType.CUSTOMER_ID, f"customer-{self.people}")
        self.vendor.things |= {f"reference-{self.people}-{part}": (someone, "files", None) for part in range(3)}
        return (someone,)

    async def nobody(self) -> Sequence[Identity]:
        return (Identity(IdentityType.CUSTOMER_ID, "customer-nobody"),)

    async def remains(self, identities: Sequence[Identity]) -> int:
        return sum(owner in identities for owner, _, _ in self.vendor.things.values())

    async def busy(self) -> None:
        self.processor.busy = True

    async def lie(self) -> None:
        self.vendor.lies = 1_000

    async def calm(self) -> None:
        self.processor.busy, self.vendor.lies = False, 0


class TestSound(ProcessorConformance):
    def vendor(self) -> VendorUnderTest:
        return Model(Sound)


class Blind(Sound):
    """Takes a busy vendor for an empty one."""

    async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity]:
        if not self.busy:
            async for item in VendorProcessor.locate(self, ctx):
                yield item


class Greedy(Sound):
    """Takes everybody's things for the subject's, as a search that ignores its filter would."""

    async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity]:
        for ref, (_, category, _) in list(self.vendor.things.items()):
            yield Item(ref, category, ctx.identities[0])

    async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        for item in items:
            if item.ref in self.vendor.things:
                yield Item(item.ref, item.category, ctx.identities[0])


class Credulous(Sound):
    """Believes the vendor without looking."""

    async def verify(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        for item in items[:0]:
            yield item


class Chatty(Sound):
    """Logs whom it works for."""

    def erase(self, ctx: Context, items: Sequence[Item]) -> Answered:
        ctx.log.warning("erasing %s", ctx.identities[0].value)
        return VendorProcessor.erase(self, ctx, items)


class Modest(Sound):
    """Does half of the work and says that it did all."""

    async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity]:
        async for item in VendorProcessor.locate(self, ctx):
            if not isinstance(item, Item) or not item.ref.endswith("-2"):
                yield item


class Dropping(Sound):
    """Tells of what it did only."""

    def erase(self, ctx: Context, items: Sequence[Item]) -> Answered:
        self.vendor.erase(items[0].ref)
        return [Result(items[0], Disposition.ERASED)]


@pytest.mark.parametrize(
    ("processor", "test"),
    [
        (Blind, "test_a_busy_vendor_is_not_an_empty_one"),
        (Greedy, "test_leaves_everybody_else_alone"),
        (Greedy, "test_what_changed_hands_is_left_alone"),
        (Credulous, "test_a_lying_vendor_is_caught"),
        (Modest, "test_erases_everything_and_looks_again"),
        (Dropping, "test_erases_everything_and_looks_again"),
    ],
)
def test_the_kit_fails_an_unsound_processor(processor: type[Sound], test: str) -> None:
    class Unsound(ProcessorConformance):
        def vendor(self) -> VendorUnderTest:
            return Model(processor)

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(Unsound(), test)()


def test_the_kit_fails_a_processor_that_logs_personal_data(caplog: pytest.LogCaptureFixture) -> None:
    class Unsound(ProcessorConformance):
        def vendor(self) -> VendorUnderTest:
            return Model(Chatty)

    with pytest.raises(AssertionError, match="personal data in logs"):
        Unsound().test_logs_hold_no_personal_data(caplog)
