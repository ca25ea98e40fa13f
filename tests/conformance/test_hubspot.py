"""HubSpot: the conformance kit and what is peculiar to it, against the sandbox."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from habeas.engine import Again, Park, Settled
from habeas.sdk import Action, Correction, Disposition, Http, Identity, IdentityType, Manifest, Processor, Record
from habeas.testing import Crashed, DyingLedger, MemoryLedger, ProcessorConformance, Trial, VendorUnderTest
from habeas.vocabulary import AttentionReason, Checked
from services.connectors.processors.hubspot import HubSpot
from services.connectors.processors.hubspot import processor as hubspot
from tests.conformance.rereading import found, reread_blankly
from tests.conformance.sandbox import Sandbox, SandboxVendor, known_by
from tests.plain import HTTP

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
        http = Http(base_url=base_url, timeout=20, transport=self.transport())
        async with http, HubSpot(config=config, http=http) as processor:
            yield processor

    async def known_texts(self, identities: Sequence[Identity]) -> Sequence[str]:
        person = self.sandbox.resident(identities)
        return (person["email"], person["phone"], f"Called {person['name']} about the order.")

    async def value(self, identities: Sequence[Identity], field: str) -> str | None:
        name = MANIFEST.fields[field].name
        path = f"contacts/{self.sandbox.resident(identities)['contact_ids'][0]}?properties={name}"
        value: str | None = self.ask("GET", path).json()["properties"][name]
        return value

    def ask(self, method: str, path: str, body: object | None = None) -> httpx.Response:
        """Ask the account's own API, past the processor."""
        url = f"http://127.0.0.1:{self.sandbox.http_port}/hubspot/crm/v3/objects/{path}"
        headers = {"authorization": "Bearer sandbox-hubspot-token"}
        return HTTP.request(method, url, headers=headers, json=body).raise_for_status()


CITY = Correction("contact.city", None, "Utrecht")


async def rectified(crm: HubSpotVendor, identities: Sequence[Identity], *changes: Correction) -> Settled:
    """Finish a rectification."""
    verdict = await Trial(crm, identities, action=Action.RECTIFY, corrections=changes).finish()
    assert isinstance(verdict, Settled)
    return verdict


@pytest.fixture
def crm(sandbox: Sandbox) -> HubSpotVendor:
    return HubSpotVendor(sandbox)


class LeanHubSpotVendor(HubSpotVendor):
    """Two fields stand for all in the kit's longer stories; a test below writes every one."""

    manifest = MANIFEST.model_copy(
        update={"fields": {key: MANIFEST.fields[key] for key in ("contact.email", "contact.last_name")}}
    )


class TestHubSpot(ProcessorConformance):
    @pytest.fixture(autouse=True)
    def _given(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def vendor(self) -> VendorUnderTest:
        return LeanHubSpotVendor(self.sandbox)


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


@pytest.mark.parametrize("field", sorted(MANIFEST.fields))
async def test_every_field_of_the_manifest_is_written_and_read(crm: HubSpotVendor, field: str) -> None:
    identities = await crm.person()
    change = Correction(field, await crm.value(identities, field), crm.new_value(field))
    verdict = await rectified(crm, identities, change)
    assert [(line.disposition, line.count, line.checked) for line in verdict.lines] == [
        (Disposition.RECTIFIED, 1, Checked.VERIFIED)
    ]
    assert await crm.value(identities, field) == change.new
    written = crm.sandbox.effects("hubspot", identities[1].value)
    assert [each["effect"] for each in written] == ["contact.update"]


async def test_corrections_of_one_contact_are_one_call(crm: HubSpotVendor) -> None:
    identities = await crm.person()
    changes = [Correction(field, None, crm.new_value(field)) for field in ("contact.city", "contact.phone")]
    await rectified(crm, identities, *changes)
    assert len(crm.sandbox.effects("hubspot", identities[1].value)) == 1
    assert [await crm.value(identities, one.field) for one in changes] == [one.new for one in changes]


async def test_an_empty_value_clears_a_field(crm: HubSpotVendor) -> None:
    identities = await crm.person()
    verdict = await rectified(crm, identities, Correction("contact.phone", None, ""))
    assert {line.disposition for line in verdict.lines} == {Disposition.RECTIFIED}
    assert await crm.value(identities, "contact.phone") is None


async def test_an_address_is_the_same_in_capitals(crm: HubSpotVendor) -> None:
    identities = await crm.person()
    new = crm.new_value("contact.email")
    verdict = await rectified(crm, identities, Correction("contact.email", identities[0].value.upper(), new.upper()))
    assert {line.disposition for line in verdict.lines} == {Disposition.RECTIFIED}
    assert await crm.value(identities, "contact.email") == new


async def test_an_address_that_another_contact_has_is_refused(crm: HubSpotVendor) -> None:
    identities, other = await crm.person(), await crm.person()
    changes = Correction("contact.email", None, other[0].value), Correction("contact.city", None, "Utrecht")
    verdict = await rectified(crm, identities, *changes)
    assert [(line.category, line.disposition, line.reason) for line in verdict.lines] == [
        ("contact", Disposition.REFUSED, "email_of_another_contact")
    ]
    assert verdict.effects == 0
    assert await crm.value(identities, "contact.city") is None
    assert crm.sandbox.effects("hubspot", identities[1].value) == []


async def test_what_is_no_address_is_refused(crm: HubSpotVendor) -> None:
    verdict = await rectified(crm, await crm.person(), Correction("contact.email", None, "not an address"))
    assert [(line.disposition, line.reason) for line in verdict.lines] == [(Disposition.REFUSED, "invalid_email")]


async def test_a_property_that_the_account_does_not_have_is_refused(
    crm: HubSpotVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(hubspot.FIELDS, "contact.city", "no_such_property")
    verdict = await rectified(crm, await crm.person(), Correction("contact.city", None, "Utrecht"))
    assert [(line.disposition, line.reason) for line in verdict.lines] == [(Disposition.REFUSED, "unknown_property")]


async def test_a_contact_that_went_to_the_recycle_bin_is_not_corrected(crm: HubSpotVendor) -> None:
    person = crm.sandbox.person()
    identities = known_by(person)
    dying = Trial(crm, identities, action=Action.RECTIFY, corrections=(CITY,), ledger=DyingLedger())
    with pytest.raises(Crashed):
        await dying.run()
    crm.ask("DELETE", f"contacts/{person['contact_ids'][0]}")
    verdict = await Trial(crm, identities, action=Action.RECTIFY, corrections=(CITY,), ledger=dying.ledger).finish()
    assert isinstance(verdict, Settled)
    assert [(line.disposition, line.reason) for line in verdict.lines] == [(Disposition.REFUSED, "in_recycle_bin")]


async def test_notes_and_tickets_are_exported_one_record_each(crm: HubSpotVendor) -> None:
    person = crm.sandbox.person()
    contact = person["contact_ids"][0]
    link = [{"to": {"id": contact}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]}]
    bodies = [f"note {number}" for number in range(120)]
    for body in bodies:
        crm.ask("POST", "notes", {"properties": {"hs_note_body": body}, "associations": link})
    trial = Trial(crm, known_by(person), action=Action.EXPORT)
    verdict = await trial.finish()
    assert isinstance(verdict, Settled)
    assert trial.exports.finished is not None
    records = [part for part in trial.exports.finished if isinstance(part, Record)]
    told = Counter(record.item.category for record in records)
    assert told == {"contact": 1, "notes": 121, "tickets": 1}
    assert {line.category: line.count for line in verdict.lines} == told
    assert {record.fields.get("hs_note_body") for record in records} >= set(bodies)
    assert any(record.fields.get("phone") == person["phone"] for record in records)


async def test_a_note_that_goes_away_in_mid_export_does_not_stop_it(crm: HubSpotVendor) -> None:
    person = crm.sandbox.person()
    batches = 0

    async def going_away(request: httpx.Request, inner: httpx.AsyncBaseTransport) -> httpx.Response:
        nonlocal batches
        if request.url.path.endswith("/notes/batch/read"):
            batches += 1
            crm.ask("DELETE", f"notes/{json.loads(request.content)['inputs'][0]['id']}")  # HubSpot answers 207
        return await inner.handle_async_request(request)

    crm.wired = True
    await crm.suffer("207", going_away)
    trial = Trial(crm, known_by(person), action=Action.EXPORT)
    verdict = await trial.finish()
    assert isinstance(verdict, Settled)
    assert batches == 1
    assert ("notes", Disposition.NOT_FOUND) in [(line.category, line.disposition) for line in verdict.lines]
    assert ("contact", Disposition.EXPORTED) in [(line.category, line.disposition) for line in verdict.lines]


async def test_whose_a_contact_is_can_be_read_without_knowing_who_asked(crm: HubSpotVendor) -> None:
    identities = await crm.person()
    for asked in identities:
        items = await found(crm, (asked,))
        now = await reread_blankly(crm, items)
        assert {item.ref for item in now} == {item.ref for item in items}
        assert {item.matched for item in now} == {asked}
