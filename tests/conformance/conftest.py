"""One sandbox for all conformance tests of a run, and one of its own for a module with Stripe."""

from collections.abc import Iterator

import pytest

from tests.conformance.sandbox import Sandbox, running
from tests.conformance.stripe_vendor import RedactingVendor, StripeVendor


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


@pytest.fixture
def deleting(own_account: Sandbox) -> StripeVendor:
    return StripeVendor(own_account)


@pytest.fixture
def redacting(own_account: Sandbox) -> RedactingVendor:
    return RedactingVendor(own_account)


@pytest.fixture(scope="module")
def own_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("stripe")) as started:
        yield started
