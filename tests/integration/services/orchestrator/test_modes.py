"""A rehearsal and the real thing never meet: each is planned at processors of its own mode, and holds up no other."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from habeas.vocabulary import Action, AttentionReason
from services.orchestrator.api.examples import RECTIFICATION, REQUEST
from services.orchestrator.handlers.dispatch_tasks import dispatch
from services.orchestrator.handlers.workspace import Workspace
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.hosts import Hosts

SERVES = (Action.ERASE, Action.EXPORT)
LIVE = {"id": "crm-eu", "kind": "hubspot"}
TEST = {"id": "crm-try", "kind": "hubspot", "livemode": False}


@pytest.fixture
async def rehearsing(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A caller with a key for rehearsals."""
    async with api.client(await api.key(livemode=False)) as caller:
        yield caller


@pytest.fixture
def hosts(api: Api) -> Hosts:
    return Hosts(api.deps)


async def enrol(caller: httpx.AsyncClient, hosts: Hosts, *processors: dict[str, Any]) -> None:
    for one in processors:
        answer = await caller.post("/v1/processors", json=one)
        assert answer.status_code == 201, answer.text
        await hosts.announce(one["id"], one["kind"], serves=SERVES)


async def file(caller: httpx.AsyncClient, body: dict[str, Any] | None = None) -> str:
    answer = await caller.post("/v1/requests", json=body or REQUEST, headers={"idempotency-key": "k"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def asked(api: Api, request: str) -> set[str]:
    """Who has a task of a request."""
    return {row["processor"] for row in await api.rows("SELECT processor FROM tasks WHERE request_id = $1", request)}


async def told(api: Api, request: str) -> set[str]:
    """On whose topics something about a request was put."""
    topics = {row["topic"] for row in await api.rows("SELECT topic FROM outbox WHERE key = $1", request)}
    return {one.split(".")[2] for one in topics if one.startswith("habeas.tasks.")}


async def attention(api: Api, request: str) -> str | None:
    (row,) = await api.rows("SELECT attention FROM requests WHERE id = $1", request)
    return json.loads(row["attention"])["reason"] if row["attention"] else None


async def test_each_request_is_planned_at_the_processors_of_its_mode_alone(
    api: Api, caller: httpx.AsyncClient, rehearsing: httpx.AsyncClient, hosts: Hosts
) -> None:
    await enrol(caller, hosts, LIVE, TEST)
    live, rehearsal = await file(caller), await file(rehearsing)
    await hosts.settle_all()
    assert (await asked(api, live), await told(api, live)) == ({"crm-eu"}, {"crm-eu"})
    assert (await asked(api, rehearsal), await told(api, rehearsal)) == ({"crm-try"}, {"crm-try"})
    for one in (live, rehearsal):
        (row,) = await api.rows("SELECT state FROM requests WHERE id = $1", one)
        assert row["state"] == "completed"
    recipients = (await rehearsing.get(f"/v1/requests/{rehearsal}/recipients")).json()["data"]
    assert [one["processor"] for one in recipients] == ["crm-try"]


@pytest.mark.parametrize("livemode", [True, False])
async def test_a_request_waits_until_a_processor_of_its_mode_is_enrolled_and_says_so(
    api: Api, caller: httpx.AsyncClient, rehearsing: httpx.AsyncClient, hosts: Hosts, *, livemode: bool
) -> None:
    own, other = (LIVE, TEST) if livemode else (TEST, LIVE)
    filing = caller if livemode else rehearsing
    await enrol(caller, hosts, other)
    request = await file(filing)
    await hosts.work()
    assert (await asked(api, request), await attention(api, request)) == (set(), AttentionReason.NO_PROCESSORS)
    timeline = (await filing.get(f"/v1/requests/{request}/timeline")).json()["data"]
    why = [one["detail"].get("why") for one in timeline if one["type"] == "request.needs_attention"]
    assert why == [None if livemode else "no processor is enrolled for rehearsals"]
    await enrol(caller, hosts, {**other, "id": "another"})
    (row,) = await api.rows("SELECT advance FROM requests")
    assert not row["advance"], "a processor of the other mode is no news"
    await enrol(caller, hosts, own)
    await hosts.settle_all()
    assert (await asked(api, request), await attention(api, request)) == ({own["id"]}, None)


async def test_a_rehearsal_holds_up_no_request_about_the_same_person(
    api: Api, caller: httpx.AsyncClient, rehearsing: httpx.AsyncClient, hosts: Hosts
) -> None:
    await enrol(caller, hosts, LIVE)
    await file(rehearsing, {**REQUEST, "right": "access"})  # asks for a copy first, and waits for a processor
    live = await file(caller)
    await hosts.work()
    assert await told(api, live) == {"crm-eu"}
    await enrol(caller, hosts, TEST)
    await hosts.settle_all()
    assert {row["state"] for row in await api.rows("SELECT state FROM requests")} == {"completed"}
    assert await api.count("subject_readers") == await api.count("subject_turns") == 0


async def test_what_can_be_corrected_is_asked_of_the_processors_of_the_mode(
    api: Api, caller: httpx.AsyncClient, rehearsing: httpx.AsyncClient, hosts: Hosts
) -> None:
    for one, field in ((LIVE, "contact.email"), (TEST, "contact.language")):
        await caller.post("/v1/processors", json=one)
        await hosts.announce(str(one["id"]), "hubspot", serves=(Action.ERASE, Action.RECTIFY), fields=(field,))
    await file(caller, RECTIFICATION)
    answer = await rehearsing.post("/v1/requests", json=RECTIFICATION, headers={"idempotency-key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (422, "field_unknown")


async def test_kinds_come_after_each_other_within_a_mode(api: Api, caller: httpx.AsyncClient, hosts: Hosts) -> None:
    await caller.post("/v1/processors", json=LIVE)
    await caller.post("/v1/processors", json={"id": "files-try", "kind": "s3", "livemode": False})
    await hosts.announce("crm-eu", "hubspot", after=("s3",))
    await hosts.announce("files-try", "s3", after=("hubspot",))  # a circle only for whom asks both
    shown = (await caller.get("/v1/processors")).json()["data"]
    assert [(one["id"], one["livemode"], one["manifest_version"]) for one in shown] == [
        ("crm-eu", True, 1), ("files-try", False, 1)
    ]  # fmt: skip


@pytest.mark.parametrize("retired", [False, True])
async def test_an_id_keeps_its_mode_for_ever(caller: httpx.AsyncClient, hosts: Hosts, *, retired: bool) -> None:
    await enrol(caller, hosts, LIVE)
    if retired:
        await caller.post("/v1/processors/crm-eu/retire", json={"reason": "made for the other mode"})
    answer = await caller.post("/v1/processors", json={**LIVE, "livemode": False})
    assert (answer.status_code, answer.json()["code"]) == (409, "processor_mode_differs")
    (shown,) = (await caller.get("/v1/processors")).json()["data"]
    assert shown["livemode"]


@pytest.mark.parametrize(
    ("verb", "body"), [("retire", {"reason": "a try"}), ("approve", None), ("rotate", None), ("revoke", {"below": 2})]
)
async def test_a_key_for_rehearsals_changes_no_processor_of_the_real_thing(
    caller: httpx.AsyncClient, rehearsing: httpx.AsyncClient, hosts: Hosts, verb: str, body: dict[str, Any] | None
) -> None:
    await enrol(caller, hosts, LIVE, TEST)
    answer = await rehearsing.post(f"/v1/processors/crm-eu/{verb}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert (await rehearsing.post(f"/v1/processors/crm-try/{verb}", json=body)).status_code != 403
    assert (await rehearsing.post(f"/v1/processors/nobody/{verb}", json=body)).status_code == 404
    assert (await rehearsing.post("/v1/processors", json={**LIVE, "id": "billing"})).status_code == 403


async def test_a_task_of_the_other_mode_is_given_up_and_never_sent(
    api: Api, caller: httpx.AsyncClient, rehearsing: httpx.AsyncClient, hosts: Hosts
) -> None:
    """Before enrolments had modes a rehearsal was planned everywhere; what is left of that goes nowhere any more."""
    await enrol(caller, hosts, TEST)
    rehearsal = await file(rehearsing)
    await hosts.work()
    await api.execute("UPDATE processors SET livemode = true")
    before = await api.count("outbox")
    async with api.deps.database.transaction() as connection:
        work = Workspace(connection)
        await work.lock([rehearsal])
        await work.load_tasks()
        assert await dispatch(api.deps, work, work.tasks_of(rehearsal)) == 0
        await work.save()
    assert await api.count("outbox") == before
    await enrol(caller, hosts, {**TEST, "id": "another"})
    await hosts.settle_all()
    (row,) = await api.rows("SELECT outcome FROM tasks WHERE processor = 'crm-try'")
    assert json.loads(row["outcome"])["headline"] == "not_fulfilled"
