"""What is deliberately done with a processor is recorded: who, when and why, also once its id is enrolled anew."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from contracts.enrolments import ProcessorOut
from habeas.vocabulary import Action, IdentityType
from services.orchestrator.api.examples import REQUEST
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.hosts import Hosts

EMAIL, PHONE = IdentityType.EMAIL, IdentityType.PHONE
CRM = {"id": "crm-eu", "kind": "hubspot"}
REASON = {"reason": "the contract has ended"}


@pytest.fixture
async def hosts(api: Api, caller: httpx.AsyncClient) -> Hosts:
    await caller.post("/v1/processors", json=CRM)
    hosts = Hosts(api.deps)
    await hosts.announce("crm-eu", "hubspot")
    return hosts


async def somebody(api: Api, name: str) -> tuple[httpx.AsyncClient, str]:
    """A caller of another client, and the client's id."""
    key = await api.key(client=name)
    (row,) = await api.rows("SELECT id FROM clients WHERE name = $1", name)
    return api.client(key), row["id"]


async def shown(caller: httpx.AsyncClient) -> ProcessorOut:
    (one,) = (await caller.get("/v1/processors")).json()["data"]
    return ProcessorOut.model_validate(one)


async def test_who_enrolled_approved_and_retired_it_is_shown_and_when(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    began = api.clock.now()
    await caller.post("/v1/processors", json=CRM)  # once more changes nothing
    approver, approver_id = await somebody(api, "approver")
    retirer, retirer_id = await somebody(api, "retirer")
    await hosts.announce("crm-eu", "hubspot", version=2, accepts=(EMAIL, PHONE))
    api.clock.advance(timedelta(hours=1))
    answer = await approver.post("/v1/processors/crm-eu/approve")
    one = ProcessorOut.model_validate(answer.json())
    assert (one.approved_by, one.approved_at) == (approver_id, began + timedelta(hours=1))
    api.clock.advance(timedelta(hours=1))
    answer = await retirer.post("/v1/processors/crm-eu/retire", json=REASON)
    one = ProcessorOut.model_validate(answer.json())
    assert (one.retired_by, one.retired_at, one.retired_reason) == (
        retirer_id, began + timedelta(hours=2), REASON["reason"]
    )  # fmt: skip
    assert one.enrolled_by not in (None, approver_id, retirer_id)
    assert [(act.act, act.actor, act.at - began) for act in one.acts] == [
        ("retired", retirer_id, timedelta(hours=2)),
        ("approved", approver_id, timedelta(hours=1)),
        ("enrolled", one.enrolled_by, timedelta()),
    ]
    assert one.acts[0].detail == REASON
    assert one.acts[1].detail == {
        "version": 2, "allowed": {"accepts": ["phone"], "resolves": [], "actions": [], "fields": []}
    }  # fmt: skip


async def test_rotations_and_revocations_are_acts_too_and_a_repeat_is_none(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    for verb, body in (("rotate", None), ("rotate", None), ("revoke", {"below": 2}), ("revoke", {"below": 2})):
        assert (await caller.post(f"/v1/processors/crm-eu/{verb}", json=body)).is_success
    acts = [(one.act, one.detail) for one in (await shown(caller)).acts]
    assert acts[:2] == [("revoked", {"below": 2}), ("rotated", {"version": 2})]
    assert [act for act, _ in acts] == ["revoked", "rotated", "enrolled"]


async def test_what_was_done_outlives_the_enrolment(caller: httpx.AsyncClient, hosts: Hosts) -> None:
    await caller.post("/v1/processors/crm-eu/retire", json=REASON)
    await caller.post("/v1/processors", json={**CRM, "kind": "s3"})
    one = await shown(caller)
    assert (one.retired_by, one.retired_reason, one.approved_by) == (None, None, None)
    assert [act.act for act in one.acts] == ["enrolled", "retired", "enrolled"]
    assert [act.detail.get("kind") for act in one.acts] == ["s3", None, "hubspot"]
    assert one.acts[1].detail == REASON


@pytest.mark.parametrize("cancelled", [False, True])
async def test_the_timeline_of_a_request_names_who_retired_a_processor_of_it(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts, *, cancelled: bool
) -> None:
    if cancelled:  # a resolver that was asked has to say that it stopped, unless it is retired
        serves: dict[str, Any] = {"accepts": (EMAIL,), "resolves": (PHONE,), "serves": (Action.ERASE,)}
        await hosts.announce("crm-eu", "hubspot", version=2, **serves)
        await caller.post("/v1/processors/crm-eu/approve")
    filed = (await caller.post("/v1/requests", json=REQUEST, headers={"idempotency-key": "k"})).json()
    await hosts.work()
    if cancelled:
        assert (await caller.post(f"/v1/requests/{filed['id']}/cancel")).json()["state"] == "cancelling"
    retirer, retirer_id = await somebody(api, "retirer")
    assert (await retirer.post("/v1/processors/crm-eu/retire", json=REASON)).is_success
    await hosts.work()
    timeline = (await caller.get(f"/v1/requests/{filed['id']}/timeline")).json()["data"]
    (settled,) = [one for one in timeline if one["type"] == "task.settled"]
    assert (settled["actor"], settled["detail"]["reason"]) == (retirer_id, "processor_retired")
