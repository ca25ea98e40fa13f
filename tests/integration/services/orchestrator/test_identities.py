"""What is resolved widens the search; where it may point to two people, the request stops and asks."""

import json
from typing import Any

import httpx
import pytest

from contracts.seal import SealedIdentity
from habeas.vocabulary import Action, IdentityType
from services.orchestrator.api.examples import REASON, REQUEST
from services.orchestrator.handlers.approve_manifest import approve_manifest
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.hosts import Hosts

CUSTOMER = IdentityType.CUSTOMER_ID


@pytest.fixture
async def hosts(api: Api, caller: httpx.AsyncClient) -> Hosts:
    """A CRM that resolves customer ids, and a storage that needs one."""
    for processor, kind in (("crm-eu", "hubspot"), ("files", "s3")):
        await caller.post("/v1/processors", json={"id": processor, "kind": kind})
    hosts = Hosts(api.deps)
    await hosts.announce("crm-eu", "hubspot", accepts=(IdentityType.EMAIL, CUSTOMER), resolves=(CUSTOMER,))
    await hosts.announce("files", "s3", accepts=(CUSTOMER,))
    return hosts


async def file(caller: httpx.AsyncClient, *identities: tuple[str, str]) -> str:
    subject = {"identities": [{"type": kind, "value": value} for kind, value in identities]}
    answer = await caller.post("/v1/requests", json={**REQUEST, "subject": subject}, headers={"idempotency-key": "k"})
    return str(answer.json()["id"])


async def shown(caller: httpx.AsyncClient, request: str) -> dict[str, Any]:
    found: dict[str, Any] = (await caller.get(f"/v1/requests/{request}")).json()
    return found


async def resolve(hosts: Hosts, *values: str) -> None:
    """Let the CRM find customer ids."""
    await hosts.work()
    (task,) = [task async for task in hosts.sent() if task["action"] == Action.RESOLVE]
    await hosts.settle(task, found=[SealedIdentity(type=CUSTOMER, value=value) for value in values])
    await hosts.work()


async def test_one_resolved_id_lets_the_others_act(caller: httpx.AsyncClient, hosts: Hosts) -> None:
    request = await file(caller, ("email", "jane@example.com"))
    await resolve(hosts, "c-42")
    await hosts.settle_all()
    done = await shown(caller, request)
    assert (done["state"], done["outcome"]["headline"], done["task_counts"]) == (
        "completed",
        "fulfilled",
        {"total": 3, "settled": 3},
    )


@pytest.mark.parametrize(
    ("filed", "found"),
    [
        ([("email", "jane@example.com")], ["c-42", "c-43"]),
        ([("customer_id", "c-1"), ("email", "j@example.com")], ["c-2"]),
    ],
)
async def test_two_ids_of_one_person_stop_the_request_until_somebody_confirms(
    filed: list[tuple[str, str]], found: list[str], api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    request = await file(caller, *filed)
    await resolve(hosts, *found)
    await hosts.work()
    stopped = await shown(caller, request)
    assert (stopped["state"], stopped["attention"]["reason"]) == ("in_progress", "ambiguous_identity")
    assert [task async for task in hosts.sent()] == []
    answer = await caller.post(f"/v1/requests/{request}/confirm-identities", json=REASON)
    assert (answer.status_code, answer.json()["attention"]) == (200, None)
    await hosts.settle_all()
    assert (await shown(caller, request))["state"] == "completed"
    (entry,) = await api.rows("SELECT detail FROM timeline WHERE type = 'identities.confirmed'")
    assert json.loads(entry["detail"]) == REASON


async def test_what_is_found_after_a_confirmation_is_asked_about_again(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    """Who said yes to two customer ids has not seen the third, which a shop finds by one of them."""
    await caller.post("/v1/processors", json={"id": "shop", "kind": "shop"})
    await hosts.announce("shop", "shop", accepts=(CUSTOMER,), resolves=(CUSTOMER,))
    request = await file(caller, ("email", "jane@example.com"))
    for found in (["c-42", "c-43"], ["c-99"]):
        await resolve(hosts, *found)
        assert (await shown(caller, request))["attention"]["reason"] == "ambiguous_identity"
        assert await api.rows("SELECT 1 FROM tasks WHERE action = 'erase' AND dispatch_no > 0") == []
        answer = await caller.post(f"/v1/requests/{request}/confirm-identities", json=REASON)
        assert (answer.status_code, answer.json()["attention"]) == (200, None)
    await hosts.settle_all()
    assert (await shown(caller, request))["state"] == "completed"
    events = await api.rows("SELECT DISTINCT event_id FROM timeline WHERE type = 'identities.confirmed'")
    assert len(events) == 2


async def test_news_that_nobody_looks_up_any_more_leave_the_request_partly_fulfilled_at_most(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    email = IdentityType.EMAIL
    await caller.post("/v1/processors", json={"id": "shop", "kind": "shop"})
    await hosts.announce("shop", "shop", accepts=(email,), resolves=(email,))
    await hosts.announce("crm-eu", "hubspot", accepts=(email, CUSTOMER), resolves=(email,), version=2)
    async with api.deps.database.transaction() as connection:
        await approve_manifest(connection, processor="crm-eu", actor="cli_tests", deps=api.deps)
    request = await file(caller, ("email", "jane@example.com"))
    await hosts.work()
    found = 0
    while tasks := [task async for task in hosts.sent()]:
        for task in tasks:
            found += 1
            another = [SealedIdentity(type=email, value=f"jane.{found}@example.com")]
            await hosts.settle(task, found=another if task["action"] == Action.RESOLVE else [])
        await hosts.work()
    done = await shown(caller, request)
    assert (done["state"], done["outcome"]["headline"]) == ("completed", "partly_fulfilled")
    assert len(await api.rows("SELECT 1 FROM timeline WHERE type = 'identities.cut_short'")) == 1


async def test_it_can_be_cancelled_instead(caller: httpx.AsyncClient, hosts: Hosts) -> None:
    request = await file(caller, ("email", "jane@example.com"))
    await resolve(hosts, "c-42", "c-43")
    answer = await caller.post(f"/v1/requests/{request}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")


async def test_several_filed_ids_are_the_clients_word_and_stop_nothing(caller: httpx.AsyncClient, hosts: Hosts) -> None:
    request = await file(caller, ("customer_id", "c-1"), ("customer_id", "c-2"))
    await hosts.settle_all()
    assert (await shown(caller, request))["state"] == "completed"


async def test_nothing_is_confirmed_that_was_not_asked(caller: httpx.AsyncClient, hosts: Hosts) -> None:
    request = await file(caller, ("email", "jane@example.com"))
    answer = await caller.post(f"/v1/requests/{request}/confirm-identities", json=REASON)
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_confirm")


async def test_findings_that_can_not_be_read_leave_the_request_partly_fulfilled_at_most(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    request = await file(caller, ("email", "jane@example.com"))
    await hosts.work()
    (task,) = [task async for task in hosts.sent()]
    another = f"{task['id'][:-1]}{'0' if task['id'][-1] != '0' else '1'}"
    await hosts.settle(task, found=[SealedIdentity(type=CUSTOMER, value="c-42")], sealed_for=another)
    await hosts.settle_all()
    done = await shown(caller, request)
    assert (done["state"], done["outcome"]["headline"]) == ("completed", "partly_fulfilled")
    assert await api.rows("SELECT 1 FROM timeline WHERE type = 'identities.unreadable'")
