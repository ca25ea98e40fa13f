"""A request that cannot be planned says so and stops no other; no manifest takes effect that would stop all."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from contracts import ids
from services.orchestrator.api.examples import REASON, REQUEST
from services.orchestrator.domain.turns import decide
from services.orchestrator.handlers.dispatch_tasks import Dispatcher
from services.orchestrator.handlers.plan_requests import Planner
from services.orchestrator.handlers.subject_turns import LostRace
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.hosts import Hosts


@pytest.fixture
async def hosts(api: Api, caller: httpx.AsyncClient) -> Hosts:
    """A CRM and a storage."""
    for processor, kind in (("crm-eu", "hubspot"), ("files", "s3")):
        await caller.post("/v1/processors", json={"id": processor, "kind": kind})
    hosts = Hosts(api.deps)
    await hosts.announce("crm-eu", "hubspot")
    return hosts


async def file(caller: httpx.AsyncClient, how_many: int = 1) -> list[str]:
    """File requests of as many people; return their ids."""
    filed = []
    for number in range(how_many):
        subject = {"identities": [{"type": "email", "value": f"somebody.{number}@example.com"}]}
        headers = {"idempotency-key": ids.new("evt")}
        answer = await caller.post("/v1/requests", json={**REQUEST, "subject": subject}, headers=headers)
        filed.append(str(answer.json()["id"]))
    return filed


async def shown(caller: httpx.AsyncClient, request: str) -> tuple[str, str | None]:
    """Return a request's state and why it needs a person."""
    found: dict[str, Any] = (await caller.get(f"/v1/requests/{request}")).json()
    return found["state"], found["attention"] and found["attention"]["reason"]


async def why(api: Api, request: str) -> list[str]:
    """Return why it needed a person, as its timeline has it."""
    rows = await api.rows(
        "SELECT detail FROM timeline WHERE request_id = $1 AND type = 'request.needs_attention' ORDER BY seq", request
    )
    return [json.loads(row["detail"])["why"] for row in rows]


async def test_a_manifest_that_closes_a_circle_does_not_take_effect(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    await hosts.announce("crm-eu", "hubspot", after=("s3",), version=2)
    await hosts.announce("files", "s3", after=("hubspot",))
    (request,) = await file(caller)
    await hosts.work()
    assert await shown(caller, request) == ("in_progress", "manifest_waits")
    refused = await caller.post("/v1/processors/files/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "order_in_a_circle")
    assert "s3 -> hubspot -> s3" in refused.json()["detail"]
    await hosts.announce("crm-eu", "hubspot", version=3)
    assert (await caller.post("/v1/processors/files/approve")).status_code == 200
    await hosts.settle_all()
    assert await shown(caller, request) == ("completed", None)


async def test_a_kind_cannot_come_after_itself(api: Api, caller: httpx.AsyncClient, hosts: Hosts) -> None:
    await hosts.announce("files", "s3", after=("s3",))
    assert await api.rows("SELECT 1 FROM processors WHERE id = 'files' AND manifest IS NOT NULL") == []


async def test_a_circle_that_is_in_effect_already_is_shown_at_each_request(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    await hosts.announce("files", "s3", after=("hubspot",))
    await api.execute("UPDATE processors SET manifest = manifest || '{\"after\": [\"s3\"]}' WHERE id = 'crm-eu'")
    (request,) = await file(caller)
    await hosts.work()
    assert await shown(caller, request) == ("in_progress", "cannot_be_planned")
    assert await why(api, request) == ["hubspot -> s3 -> hubspot"]
    await caller.post("/v1/processors/files/retire", json=REASON)
    await hosts.settle_all()
    assert await shown(caller, request) == ("completed", None)


async def test_what_cannot_be_read_stops_no_other_and_goes_on_once_it_can(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    await hosts.announce("files", "s3")
    first, broken, last = await file(caller, 3)
    (kept,) = await api.rows("SELECT sealed FROM request_secrets WHERE request_id = $1", broken)
    await api.execute("UPDATE request_secrets SET sealed = '\\x00' WHERE request_id = $1", broken)
    await hosts.settle_all()
    assert [await shown(caller, one) for one in (first, last)] == [("completed", None)] * 2
    assert await shown(caller, broken) == ("received", "cannot_be_planned")
    await api.execute("UPDATE request_secrets SET sealed = $2 WHERE request_id = $1", broken, kept["sealed"])
    api.clock.advance(timedelta(minutes=2))
    await hosts.settle_all()
    assert await shown(caller, broken) == ("completed", None)


async def test_a_sent_task_that_cannot_be_read_is_left_out_when_others_are_sent_again(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    await hosts.announce("files", "s3")
    broken, other = await file(caller, 2)
    await hosts.work()
    await api.execute("UPDATE request_secrets SET sealed = '\\x00' WHERE request_id = $1", broken)
    await api.execute("UPDATE tasks SET state = 'ready', dispatch_no = 0")
    await api.execute("DELETE FROM subject_turns")
    assert await Dispatcher(api.deps).step() == 2
    rows = await api.rows("SELECT DISTINCT request_id FROM tasks WHERE dispatch_no > 0")
    assert [row["request_id"] for row in rows] == [other]
    await hosts.work()
    assert await shown(caller, broken) == ("in_progress", "cannot_be_planned")


async def test_one_that_fails_for_any_reason_is_set_aside_alone(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    await hosts.announce("files", "s3")
    some = await file(caller, 5)
    await hosts.work()
    await api.execute("""UPDATE tasks SET attention = '{"reason": "of another age"}' WHERE request_id = $1""", some[2])
    await api.execute("UPDATE requests SET advance = true")
    assert await Planner(api.deps).step() == 4
    assert [await shown(caller, one) for one in some] == [
        ("in_progress", "cannot_be_planned" if one == some[2] else None) for one in some
    ]
    assert await why(api, some[2]) == ["ValueError"]
    assert await Planner(api.deps).step() == 0, "it is tried again at once, before all others"


async def test_who_loses_a_race_is_planned_again_without_calling_for_help(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hosts.announce("files", "s3")
    first, last = await file(caller, 2)

    def lost(asking: Any, *rest: Any) -> Any:
        if last in {one.request for one in asking}:
            raise LostRace
        return decide(asking, *rest)

    with monkeypatch.context() as patch:
        patch.setattr("services.orchestrator.handlers.subject_turns.decide", lost)
        assert await Planner(api.deps).step() == 1
    assert [await shown(caller, one) for one in (first, last)] == [("in_progress", None), ("received", None)]
    api.clock.advance(timedelta(seconds=2))
    await hosts.settle_all()
    assert await shown(caller, last) == ("completed", None)
