"""What an enrolment says of itself is shown; that its data is in another country now is seen, and waits for nobody."""

from typing import Any

import httpx
import pytest

from contracts.processors import WireManifest
from habeas.vocabulary import IdentityType
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.hosts import Hosts

EMAIL, PHONE = IdentityType.EMAIL, IdentityType.PHONE
AMERICA = {"country": "US", "safeguard": "Adequacy decision", "owner": "Sales US", "title": "CRM, America"}


@pytest.fixture
async def hosts(api: Api, caller: httpx.AsyncClient) -> Hosts:
    await caller.post("/v1/processors", json={"id": "crm-us", "kind": "hubspot"})
    hosts = Hosts(api.deps)
    await hosts.announce("crm-us", "hubspot")
    return hosts


async def shown(caller: httpx.AsyncClient) -> dict[str, Any]:
    (one,) = (await caller.get("/v1/processors")).json()["data"]
    return dict(one)


async def test_the_particulars_are_those_that_were_announced(caller: httpx.AsyncClient, hosts: Hosts) -> None:
    one = await shown(caller)
    assert (one["country"], one["safeguard"], one["owner"]) == ("NL", None, "tests")
    assert (one["moved_from"], one["moved_at"]) == (None, None)


async def test_a_move_to_another_country_takes_effect_and_is_seen(
    caller: httpx.AsyncClient, hosts: Hosts, caplog: pytest.LogCaptureFixture
) -> None:
    await hosts.announce("crm-us", "hubspot", version=2, told=AMERICA)
    one = await shown(caller)
    assert {name: one[name] for name in AMERICA} == AMERICA
    assert (one["moved_from"], one["pending_manifest_version"]) == ("NL", None)
    assert one["moved_at"] is not None
    (moved,) = [vars(line)["habeas"] for line in caplog.records if line.msg == "processor.moved"]
    assert moved == {"processor": "crm-us", "problem": "its data was in NL and is in US"}
    await hosts.announce("crm-us", "hubspot", version=3, told={**AMERICA, "title": "CRM"})
    assert (await shown(caller))["moved_from"] == "NL", "a further change does not hide it"


async def test_a_move_that_comes_with_more_rights_is_seen_once_these_are_approved(
    caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    await hosts.announce("crm-us", "hubspot", version=2, accepts=(EMAIL, PHONE), told=AMERICA)
    assert (await shown(caller))["moved_from"] is None
    approved = (await caller.post("/v1/processors/crm-us/approve")).json()
    assert (approved["country"], approved["moved_from"]) == ("US", "NL")


async def test_a_new_enrolment_of_the_id_has_never_moved(caller: httpx.AsyncClient, hosts: Hosts) -> None:
    await hosts.announce("crm-us", "hubspot", version=2, told=AMERICA)
    await caller.post("/v1/processors/crm-us/retire", json={"reason": "made anew"})
    await caller.post("/v1/processors", json={"id": "crm-us", "kind": "hubspot"})
    assert (await shown(caller))["moved_from"] is None


def test_where_the_data_is_is_no_question_of_approval() -> None:
    manifest = {"kind": "hubspot", "version": 1, "title": "t", "owner": "o", "country": "NL", "accepts": ["email"],
                "actions": {"erase": {}}}  # fmt: skip
    before, after = WireManifest.model_validate(manifest), WireManifest.model_validate({**manifest, **AMERICA})
    assert not after.wider_than(before).named
