"""The conformance kit passes a sound processor, and skips what can not be arranged with a reason."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest

from habeas.sdk import Action, Http, Identity, Manifest, Processor
from habeas.testing import ProcessorConformance, VendorUnderTest
from tests.unit.habeas.testing.model import MANIFEST, Model, NoConfig, Sound


class TestSound(ProcessorConformance):
    def vendor(self) -> VendorUnderTest:
        return Model()


class Bare(VendorUnderTest):
    """A vendor of which only what must be written was written."""

    manifest: Manifest = MANIFEST

    def __init__(self) -> None:
        self.model = Model()

    def open(self) -> AbstractAsyncContextManager[Processor[Any]]:
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Processor[Any]]:
        transport = httpx.MockTransport(self.model.registry.answer)
        async with Http(base_url="http://registry.invalid", transport=transport) as http:
            yield Sound(config=NoConfig(), http=http)

    async def person(self) -> Sequence[Identity]:
        return await self.model.person()

    async def nobody(self) -> Sequence[Identity]:
        return await self.model.nobody()

    async def remains(self, identities: Sequence[Identity]) -> int:
        return await self.model.remains(identities)


class ErasingOnly(Bare):
    manifest = MANIFEST.model_copy(
        update={"actions": {Action.ERASE: MANIFEST.actions[Action.ERASE]}, "resolves": (), "fields": {}}
    )


class TestBare(ProcessorConformance):
    """What can run does run, and passes."""

    def vendor(self) -> VendorUnderTest:
        return Bare()


class TestErasingOnly(ProcessorConformance):
    def vendor(self) -> VendorUnderTest:
        return ErasingOnly()


def skipped(vendor: Callable[[], VendorUnderTest], test: str, *more: object) -> str:
    class Kit(ProcessorConformance):
        def vendor(self) -> VendorUnderTest:
            return vendor()

    with pytest.raises(pytest.skip.Exception) as caught:
        getattr(Kit(), test)(*more)
    return str(caught.value)


@pytest.mark.parametrize(
    ("test", "more", "reason"),
    [
        ("test_a_busy_vendor_is_not_an_empty_one", (), "add `async def busy(self)`"),
        ("test_a_lying_vendor_is_caught", (), "add `async def lie(self)`"),
        ("test_what_is_done_in_part_is_told_in_part", (), "add `async def partly(self)`"),
        ("test_a_call_that_fails_for_good_is_not_told_as_done", (), "give `transport=self.transport()` to Http"),
        ("test_the_copy_holds_what_the_vendor_knows", (), "add `async def known_texts(self, identities)`"),
        ("test_writes_the_new_value_and_reads_it_again", (), "add `async def value(self, identities, field)`"),
        ("test_a_throttled_call_waits_within_bounds", ("seconds",), "give `transport=self.transport()` to Http"),
        ("test_a_fault_at_any_call_changes_nothing_of_how_it_ends", ("html",), "give `transport=self.transport()`"),
        ("test_headers_hold_no_personal_data", (), "give `transport=self.transport()` to Http"),
    ],
)
def test_a_skip_says_what_to_add(test: str, more: tuple[object, ...], reason: str) -> None:
    assert reason in skipped(Bare, test, *more)


@pytest.mark.parametrize(
    ("test", "action"),
    [
        ("test_exports_everything_and_changes_nothing", "export"),
        ("test_writes_the_new_value_and_reads_it_again", "rectify"),
        ("test_resolves_only_what_its_manifest_names", "resolve"),
    ],
)
def test_what_the_manifest_does_not_serve_is_not_tested(test: str, action: str) -> None:
    assert skipped(ErasingOnly, test) == f"the manifest does not serve {action}"
