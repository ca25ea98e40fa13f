"""HubSpot: the conformance kit and what is peculiar to it, against the sandbox."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from habeas.engine import Again, Park, Settled
from habeas.sdk import Action, Disposition, Http, Identity, IdentityType, Manifest, Processor
from habeas.testing import MemoryLedger, ProcessorConformance, Trial, VendorUnderTest
from habeas.vocabulary import AttentionReason
from services.connectors.processors.hubspot import HubSpot
from services.connectors.processors.hubspot import processor as hubspot
from tests.conformance.sandbox import Sandbox, SandboxVendor, known_by

MANIFEST = Manifest.load(Path(hubspot.__file__).with_name("manifest.toml"))


class HubSpotVendor(SandboxVendor):
    name = "hubspot"
    manifest = MANIFEST
    token = "sandbox-hubspot-token"

    def open(self) -> AbstractAsyncContextManager[Processor[Any]]:
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Processor[Any]]:
        base_url = f"http://127.0.0.1:{self.sandbox.http_port}/hubspot"
        config = hubspot.Settings(base_url=base_url, token=SecretStr(self.token))
        async with Http(base_url=base_url, timeout=2) as http, HubSpot(config=config, http=http) as processor:
            yield processor


@pytest.fixture
def crm(sandbox: Sandbox) -> HubSpotVendor:
    return HubSpotVendor(sandbox)


class TestHubSpot(ProcessorConformance):
    @pytest.fixture(autouse=True)
    def _given(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def vendor(self) -> VendorUnderTest:
        return HubSpotVendor(self.sandbox)


async def test_a_reply_lost_after_the_deletion_is_told_as_our_own_doing(crm: HubSpotVendor) -> None:
    person = crm.sandbox.person()
    crm.knobs(drop_reply=1, only="gdpr-delete", times=1)
    trial = Trial(crm, known_by(person))
    first = await trial.run()
    assert isinstance(first, Again)
    assert not first.counts
    verdict = await trial.finish()
    assert isinstance(verdict, Settled)
    assert {line.disposition for line in verdict.lines} == {Disposition.ERASED}
    purges = [each for each in crm.sandbox.effects("hubspot", person["customer_id"]) if "gdpr" in each["effect"]]
    assert len(purges) == 1


@pytest.mark.parametrize(
    "oddity",
    [
        "second contact that holds the address as an additional one",
        "address is only an additional one of the contact",
        "additional address that contains another person's",
        "no notes",
    ],
)
async def test_finds_people_however_they_are_stored(crm: HubSpotVendor, oddity: str) -> None:
    identities = known_by(crm.sandbox.person(oddity))
    verdict = await Trial(crm, identities[:1]).finish()
    assert isinstance(verdict, Settled)
    assert await crm.remains(identities) == 0


async def test_an_address_that_is_part_of_anothers_touches_nobody_else(crm: HubSpotVendor) -> None:
    other = known_by(crm.sandbox.person("additional address that contains another person's"))
    before = await crm.remains(other)
    outsider = Identity(IdentityType.EMAIL, "example@example.org")
    verdict = await Trial(crm, (outsider,)).finish()
    assert isinstance(verdict, Settled)
    assert {line.disposition for line in verdict.lines} == {Disposition.NOT_FOUND}
    assert await crm.remains(other) == before


async def test_an_unknown_address_is_not_put_on_the_blocklist(crm: HubSpotVendor) -> None:
    identities = await crm.nobody()
    await Trial(crm, identities).finish()
    assert not crm.sandbox.blocked(identities[0].value)


async def test_a_ticket_shared_with_another_contact_is_kept_for_that_one(crm: HubSpotVendor) -> None:
    verdict = await Trial(crm, known_by(crm.sandbox.person("shares a ticket with the one before"))).finish()
    assert isinstance(verdict, Settled)
    kept = [line for line in verdict.lines if line.disposition is Disposition.RETAINED]
    assert [(line.category, line.count, line.ground) for line in kept] == [("tickets", 1, "shared_with_others")]


async def test_a_contact_that_the_search_does_not_know_yet_is_found_by_address(crm: HubSpotVendor) -> None:
    person = crm.sandbox.person()
    crm.knobs(search_lag=3_600)
    identities = known_by(person)
    ledger = MemoryLedger()
    verdict = await Trial(crm, identities, ledger=ledger).finish()
    assert isinstance(verdict, Settled)
    assert await crm.remains(identities) == 0


async def test_resolves_the_customer_id_of_an_address(crm: HubSpotVendor) -> None:
    person = crm.sandbox.person()
    verdict = await Trial(crm, known_by(person)[:1], action=Action.RESOLVE).finish()
    assert isinstance(verdict, Settled)
    assert verdict.identities == (Identity(IdentityType.CUSTOMER_ID, person["customer_id"]),)


async def test_a_spent_day_waits_until_midnight(crm: HubSpotVendor) -> None:
    crm.knobs(rate_limit={"rate": 1, "policy": "DAILY"})
    verdict = await Trial(crm, known_by(crm.sandbox.person())).run()
    assert verdict == Again("daily_limit", after=52_200.0)  # the trial's clock says 09:30


@pytest.mark.parametrize("form", ["seconds", "date", "absurd", "negative", "none"])
async def test_a_throttled_call_waits_within_bounds(crm: HubSpotVendor, form: str) -> None:
    crm.knobs(rate_limit={"rate": 1, "retry_after": form})
    verdict = await Trial(crm, known_by(crm.sandbox.person())).run()
    assert isinstance(verdict, Again)
    assert verdict.after is not None
    assert 1.0 <= verdict.after <= 86_400.0


async def test_pages_are_followed_to_their_end(crm: HubSpotVendor) -> None:
    identities = known_by(crm.sandbox.person("second contact that holds the address as an additional one"))
    crm.knobs(page_cap=1)
    await Trial(crm, identities).finish()
    assert await crm.remains(identities) == 0


async def test_a_wrong_token_parks_the_task(crm: HubSpotVendor) -> None:
    crm.token = "wrong"
    verdict = await Trial(crm, await crm.nobody()).finish()
    assert verdict == Park(AttentionReason.CREDENTIALS_REJECTED, "credentials_rejected")
