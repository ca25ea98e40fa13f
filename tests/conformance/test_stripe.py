"""Stripe: the conformance kit, with people who paid, and with redaction, against a sandbox of its own."""

from collections.abc import Iterator

import pytest

from habeas.testing import ProcessorConformance, VendorUnderTest
from tests.conformance.sandbox import Sandbox, running
from tests.conformance.stripe_vendor import ExportingVendor, RedactingVendor, StripeVendor


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("stripe")) as started:
        yield started


def emptied(account: Sandbox) -> Sandbox:
    """Each rule begins with nobody there: to walk through an account takes longer with each person."""
    account.control("POST", "/reset")
    return account


class TestStripe(ProcessorConformance):
    @pytest.fixture(autouse=True)
    def _given(self, account: Sandbox) -> None:
        self.account = account

    def vendor(self) -> VendorUnderTest:
        return StripeVendor(emptied(self.account))


class TestStripeExporting(ProcessorConformance):
    @pytest.fixture(autouse=True)
    def _given(self, account: Sandbox) -> None:
        self.account = account

    def vendor(self) -> VendorUnderTest:
        return ExportingVendor(emptied(self.account))


class TestStripeRedacting(ProcessorConformance):
    @pytest.fixture(autouse=True)
    def _given(self, account: Sandbox) -> None:
        self.account = account

    def vendor(self) -> VendorUnderTest:
        return RedactingVendor(emptied(self.account))
