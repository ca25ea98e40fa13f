"""A copy is made before anything is changed, one request acts on a subject at a time, and two people never wait."""

import asyncio
import json
from functools import partial
from typing import Any

import httpx
import pytest

from contracts.seal import SealedIdentity
from habeas.vocabulary import Action, AttentionReason, IdentityType
from services.orchestrator.api.examples import REQUEST
from services.orchestrator.handlers import plan_requests
from services.orchestrator.handlers.dispatch_tasks import Dispatcher, dispatch
from services.orchestrator.handlers.plan_requests import Planner
from services.orchestrator.handlers.subject_turns import LostRace
from services.orchestrator.handlers.workspace import Workspace
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.hosts import Hosts
from tests.waiting import until

EMAIL, CUSTOMER, PHONE = IdentityType.EMAIL, IdentityType.CUSTOMER_ID, IdentityType.PHONE
SERVES = (Action.ERASE, Action.EXPORT)
JANE = (("email", "jane@example.com"),)
JOE = (("email", "joe@example.com"),)


@pytest.fixture
async def hosts(api: Api, caller: httpx.AsyncClient) -> Hosts:
    """A CRM that knows people by address and customer id, a storage that needs the latter, and a dialler."""
    for processor, kind in (("crm-eu", "hubspot"), ("files", "s3"), ("dialler", "dialler")):
        await caller.post("/v1/processors", json={"id": processor, "kind": kind})
    hosts = Hosts(api.deps)
    await hosts.announce("crm-eu", "hubspot", accepts=(EMAIL, CUSTOMER), resolves=(EMAIL, CUSTOMER), serves=SERVES)
    await hosts.announce("files", "s3", accepts=(CUSTOMER,), serves=SERVES)
    await hosts.announce("dialler", "dialler", accepts=(PHONE,), serves=SERVES)
    return hosts


def body(right: str, *identities: tuple[str, str]) -> dict[str, Any]:
    subject = {"identities": [{"type": kind, "value": value} for kind, value in identities]}
    return {**REQUEST, "right": right, "subject": subject}


async def file(caller: httpx.AsyncClient, right: str, *identities: tuple[str, str]) -> str:
    key = {"idempotency-key": f"{right}-{identities}".replace(" ", "")}
    answer = await caller.post("/v1/requests", json=body(right, *identities), headers=key)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def states(api: Api) -> dict[str, str]:
    return {row["right"]: row["state"] for row in await api.rows('SELECT "right", state FROM requests')}


async def settle(hosts: Hosts, *, only: str | None = None, customer: str | None = "c-42") -> list[tuple[str, str]]:
    """Settle what was sent (of one request), let the orchestrator work; return (right's action, processor) of each."""
    done = []
    for task in [one async for one in hosts.sent()]:
        if only in (None, task["request_id"]):
            resolves = task["action"] == Action.RESOLVE and customer is not None
            found = (SealedIdentity(type=CUSTOMER, value=customer or ""),) if resolves else ()
            await hosts.settle(task, found=found)
            done.append((task["action"], task["processor"]))
    await hosts.work()
    return done


async def effects_sent(api: Api) -> list[str]:
    return [
        row["request_id"] for row in await api.rows("SELECT * FROM tasks WHERE action = 'erase' AND dispatch_no > 0")
    ]


async def lived(api: Api, hosts: Hosts) -> list[str]:
    """Let everything happen; return the rights in the order in which they were completed."""
    await hosts.work()
    while await settle(hosts):
        if await effects_sent(api) and (await states(api)).get("access") != "completed":
            pytest.fail("something was to be erased before it was copied")
    rows = await api.rows("SELECT \"right\" FROM requests WHERE state = 'completed' ORDER BY completed_at, version")
    return [row["right"] for row in rows]


@pytest.mark.parametrize("order", [("access", "erasure"), ("erasure", "access")], ids=["copy-first", "copy-last"])
async def test_filed_together_the_copy_comes_first(
    order: tuple[str, str], api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    batch = {"requests": [body(right, *JANE) for right in order]}
    answer = await caller.post("/v1/requests/batch", json=batch, headers={"idempotency-key": "b"})
    assert [one["status"] for one in answer.json()["results"]] == [201, 201]
    assert set(await lived(api, hosts)) == {"access", "erasure"}
    (waits, *_) = await api.rows("SELECT * FROM timeline WHERE type = 'task.waits'")
    assert json.loads(waits["detail"]) == {
        "behind": (await api.rows("SELECT id FROM requests WHERE \"right\" = 'access'"))[0]["id"]
    }


async def test_a_copy_that_is_asked_for_while_an_erasure_looks_comes_first(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    await file(caller, "erasure", *JANE)
    await hosts.work()
    await file(caller, "access", *JANE)
    assert set(await lived(api, hosts)) == {"access", "erasure"}


async def test_known_by_other_identities_that_resolve_to_one_person_the_copy_comes_first(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    await file(caller, "erasure", ("customer_id", "c-42"))
    await file(caller, "access", *JANE)
    await hosts.work()
    for task in [one async for one in hosts.sent()]:
        # The CRM knows her customer id by her address, and the other way round.
        subject, _ = await hosts.opened(task)
        known = {one.type for one in subject.identities}
        found = SealedIdentity(type=CUSTOMER, value="c-42")
        if CUSTOMER in known:
            found = SealedIdentity(type=EMAIL, value="Jane@example.com")
        await hosts.settle(task, found=[found])
    assert set(await lived(api, hosts)) == {"access", "erasure"}


async def test_a_copy_waits_for_an_erasure_that_has_begun(api: Api, caller: httpx.AsyncClient, hosts: Hosts) -> None:
    erasure = await file(caller, "erasure", *JANE, ("phone", "+31201234567"))
    await hosts.work()  # the dialler was told already: no resolver finds phone numbers
    access = await file(caller, "access", *JANE)
    await hosts.work()
    assert await settle(hosts, only=access) == [], "a copy was made of what is being erased"
    while await settle(hosts, only=erasure):
        pass
    assert await states(api) == {"erasure": "completed", "access": "in_progress"}
    while await settle(hosts, only=access):
        pass
    assert (await states(api))["access"] == "completed"


async def test_two_erasures_that_learn_late_that_they_are_of_one_person_both_end(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    await file(caller, "erasure", *JANE, ("phone", "+31201234567"))
    await file(caller, "erasure", ("customer_id", "c-42"), ("phone", "+31207654321"))
    await hosts.work()
    assert len(await effects_sent(api)) == 2  # each at the dialler, about a number that only it knows
    for task in [one async for one in hosts.sent()]:
        subject, _ = await hosts.opened(task)
        kind = EMAIL if any(one.type is CUSTOMER for one in subject.identities) else CUSTOMER
        found = SealedIdentity(type=kind, value="jane@example.com" if kind is EMAIL else "c-42")
        await hosts.settle(task, found=[found] if task["action"] == Action.RESOLVE else [])
    await hosts.work()
    at_crm = [one async for one in hosts.sent() if one["processor"] == "crm-eu"]
    assert len(at_crm) == 1, "two tasks about one person are at one processor"
    for _ in range(6):
        await settle(hosts, customer=None)
        await Dispatcher(hosts.deps).unblock()
        await hosts.work()
    assert [row["state"] for row in await api.rows("SELECT state FROM requests")] == ["completed", "completed"]


async def test_two_people_never_wait_for_each_other(api: Api, caller: httpx.AsyncClient, hosts: Hosts) -> None:
    await file(caller, "access", *JANE)
    erasure = await file(caller, "erasure", *JOE)
    await hosts.work()
    while await settle(hosts, only=erasure, customer="c-43"):
        pass
    assert await states(api) == {"erasure": "completed", "access": "in_progress"}
    assert await api.rows("SELECT 1 FROM tasks WHERE behind IS NOT NULL") == []


async def test_what_waits_goes_on_as_soon_as_the_copy_is_called_off(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    access = await file(caller, "access", *JANE)
    erasure = await file(caller, "erasure", *JANE)
    await hosts.work()
    await settle(hosts, only=erasure)
    assert await effects_sent(api) == []
    assert (await caller.post(f"/v1/requests/{access}/cancel")).json()["state"] == "cancelling"
    for task in [one async for one in hosts.sent()]:
        await hosts.settle(task, cancelled=True)
    await hosts.work()
    assert (await states(api))["access"] == "cancelled"
    assert await effects_sent(api) == [erasure, erasure]
    assert await api.count("subject_readers") == 0


async def test_it_is_shown_that_a_person_is_needed_at_what_is_waited_for(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    access = await file(caller, "access", *JANE)
    erasure = await file(caller, "erasure", *JANE)
    await hosts.work()
    await settle(hosts)
    await api.execute(
        "UPDATE requests SET attention = $2::jsonb WHERE id = $1",
        access,
        json.dumps({"reason": "silent", "since": "2026-11-20T09:30:00+00:00"}),
    )
    await Dispatcher(hosts.deps).unblock()
    await hosts.work()
    shown = (await caller.get(f"/v1/requests/{erasure}")).json()
    assert shown["attention"]["reason"] == AttentionReason.WAITS_FOR_ANOTHER
    while await settle(hosts, only=access):
        pass
    await hosts.work()
    assert (await caller.get(f"/v1/requests/{erasure}")).json()["attention"] is None
    assert (await states(api))["access"] == "completed"


async def test_another_clients_request_is_not_named(api: Api, caller: httpx.AsyncClient, hosts: Hosts) -> None:
    access = await file(caller, "access", *JANE)
    async with api.client(await api.key(client="another")) as other:
        await file(other, "erasure", *JANE)
    await hosts.work()
    await settle(hosts)
    waits = await api.rows("SELECT detail FROM timeline WHERE type = 'task.waits'")
    assert waits
    assert all(access not in row["detail"] for row in waits)


async def test_a_turn_ends_with_its_request(api: Api, caller: httpx.AsyncClient, hosts: Hosts) -> None:
    await file(caller, "access", *JANE)
    await hosts.settle_all()
    assert (await states(api)) == {"access": "completed"}
    assert (await api.count("subject_turns"), await api.count("subject_readers")) == (0, 0)


async def test_two_dispatchers_do_not_both_begin_with_one_person(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = ("+31201234567", "+31207654321")
    both = [await file(caller, "erasure", *(("phone", one) for one in some)) for some in (numbers, numbers[:1])]

    async def nothing(*_: object) -> int:
        return 0

    with monkeypatch.context() as patch:
        patch.setattr(plan_requests, "dispatch", nothing)
        await Planner(hosts.deps).step()
    first_has_sent, first_may_end = asyncio.Event(), asyncio.Event()

    async def send(request: str, sent: asyncio.Event | None = None) -> None:
        async with api.deps.database.transaction() as connection:
            work = Workspace(connection)
            await work.lock([request])
            await work.load_tasks()
            await dispatch(hosts.deps, work, work.ready_tasks())
            await work.save()
            if sent is not None:
                sent.set()
                await first_may_end.wait()

    first = asyncio.create_task(send(both[0], first_has_sent))
    await first_has_sent.wait()
    second = asyncio.create_task(send(both[1]))
    await until(partial(waiting_for_a_row, api))
    first_may_end.set()
    await first
    with pytest.raises(LostRace):
        await second
    await send(both[1])  # the step is run again
    assert await effects_sent(api) == [both[0]]
    assert [row["behind"] for row in await api.rows("SELECT behind FROM tasks WHERE blocked")] == [both[0]]


async def waiting_for_a_row(api: Api) -> bool:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(await api.rows(waiting))
