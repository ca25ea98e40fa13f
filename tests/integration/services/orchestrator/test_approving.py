"""A manifest that asks for more waits, and shows what it asks for; the one that was looked at is approved, no other."""

from typing import Any

import httpx
import pytest

from contracts.enrolments import ProcessorOut
from contracts.processors import Asks
from habeas.vocabulary import Action, IdentityType
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.hosts import Hosts

EMAIL, PHONE, CUSTOMER = IdentityType.EMAIL, IdentityType.PHONE, IdentityType.CUSTOMER_ID
APPROVE = "/v1/processors/crm-eu/approve"


@pytest.fixture
async def hosts(api: Api, caller: httpx.AsyncClient) -> Hosts:
    await caller.post("/v1/processors", json={"id": "crm-eu", "kind": "hubspot"})
    hosts = Hosts(api.deps)
    await hosts.announce("crm-eu", "hubspot", serves=(Action.ERASE, Action.RECTIFY), fields=("contact.email",))
    return hosts


async def shown(caller: httpx.AsyncClient) -> ProcessorOut:
    (one,) = (await caller.get("/v1/processors")).json()["data"]
    return ProcessorOut.model_validate(one)


async def wider(hosts: Hosts, version: int = 2, **changes: Any) -> None:
    """Announce a manifest that asks for more of everything, or for what is said."""
    asked = {
        "accepts": (EMAIL, PHONE),
        "resolves": (CUSTOMER,),
        "serves": (Action.ERASE, Action.RECTIFY, Action.EXPORT),
        "fields": ("contact.email", "contact.phone"),
    }
    await hosts.announce("crm-eu", "hubspot", version=version, **(changes or asked))


async def test_what_the_one_that_waits_asks_for_is_shown(
    caller: httpx.AsyncClient, hosts: Hosts, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await shown(caller)).pending_asks is None
    await wider(hosts)
    one = await shown(caller)
    assert (one.manifest_version, one.pending_manifest_version) == (1, 2)
    assert one.pending_asks == Asks(
        accepts=(PHONE,), resolves=(CUSTOMER,), actions=(Action.EXPORT, Action.RESOLVE), fields=("contact.phone",)
    )
    (line,) = [vars(line)["habeas"] for line in caplog.records if line.msg == "processor.manifest_waits"]
    assert (line["count"], line["problem"]) == (
        5, "accepts phone, resolves customer_id, does export, does resolve, corrects contact.phone"
    )  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [
        {"accepts": (EMAIL, PHONE)},
        {"fields": ("contact.email", "contact.phone")},
        {"serves": (Action.ERASE, Action.RECTIFY, Action.EXPORT)},
    ],
    ids=lambda more: next(iter(more)),
)
async def test_each_of_them_alone_waits(caller: httpx.AsyncClient, hosts: Hosts, more: dict[str, Any]) -> None:
    now = {"serves": (Action.ERASE, Action.RECTIFY), "fields": ("contact.email",)}
    await wider(hosts, **{**now, **more})
    assert (await shown(caller)).pending_manifest_version == 2


async def test_less_of_everything_takes_effect_at_once(caller: httpx.AsyncClient, hosts: Hosts) -> None:
    await wider(hosts, accepts=(EMAIL,))
    one = await shown(caller)
    assert (one.manifest_version, one.pending_asks, one.actions) == (2, None, (Action.ERASE,))


async def test_the_manifest_that_was_looked_at_is_approved_and_no_other(
    caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    await wider(hosts)
    await wider(hosts, 3, accepts=(EMAIL, PHONE, CUSTOMER))
    answer = await caller.post(APPROVE, params={"manifest_version": 2})
    assert (answer.status_code, answer.json()["code"]) == (409, "another_pending")
    assert (await shown(caller)).manifest_version == 1
    answer = await caller.post(APPROVE, params={"manifest_version": 3})
    assert answer.status_code == 200, answer.text
    one = await shown(caller)
    assert (one.manifest_version, one.pending_asks, set(one.accepts)) == (3, None, {EMAIL, PHONE, CUSTOMER})
    for odd in ("0", "two", "1&manifest_version=2"):
        assert (await caller.post(f"{APPROVE}?manifest_version={odd}")).status_code == 422


async def test_a_first_manifest_that_waits_for_its_order_asks_for_all_that_it_has(
    api: Api, caller: httpx.AsyncClient
) -> None:
    hosts = Hosts(api.deps)
    for processor, kind, other in (("crm-eu", "hubspot", "s3"), ("files", "s3", "hubspot")):
        await caller.post("/v1/processors", json={"id": processor, "kind": kind})
        await hosts.announce(processor, kind, after=(other,))
    listed = {one["id"]: one for one in (await caller.get("/v1/processors")).json()["data"]}
    assert listed["crm-eu"]["pending_asks"] is None
    assert listed["files"]["pending_asks"] == {"accepts": ["email"], "resolves": [], "actions": ["erase"], "fields": []}
