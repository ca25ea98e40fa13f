"""A correction goes to those who know its field, sealed; the others say that they do not, and nobody echoes a value."""

import json
from typing import Any

import httpx
import pytest

from habeas.vocabulary import Action, IdentityType
from services.orchestrator.api.examples import RECTIFICATION, REQUEST
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.hosts import Hosts

EMAIL = IdentityType.EMAIL
SERVES = (Action.ERASE, Action.RECTIFY)
OLD, NEW = "jane@example.com", "jane@new.example.com"
CORRECTIONS = [
    {"field": "contact.email", "from": OLD, "to": NEW},
    {"field": "contact.name", "to": "Jane Squirrel"},
]


@pytest.fixture
async def hosts(api: Api, caller: httpx.AsyncClient) -> Hosts:
    """A CRM that corrects names and addresses, billing that has addresses, mailing that has neither, a mere storage."""
    for processor in ("crm-eu", "billing", "mailing", "files"):
        await caller.post("/v1/processors", json={"id": processor, "kind": processor.replace("-", "_")})
    hosts = Hosts(api.deps)
    await hosts.announce("crm-eu", "crm_eu", serves=SERVES, fields=["contact.email", "contact.name"])
    await hosts.announce("billing", "billing", serves=SERVES, fields=["contact.email"])
    await hosts.announce("mailing", "mailing", serves=SERVES, fields=["contact.language"])
    await hosts.announce("files", "files")
    return hosts


async def file(caller: httpx.AsyncClient, corrections: list[dict[str, str]]) -> dict[str, Any]:
    body = {**RECTIFICATION, "rectification": {"corrections": corrections}}
    answer = await caller.post("/v1/requests", json=body, headers={"idempotency-key": "k"})
    assert answer.status_code == 201, answer.text
    filed: dict[str, Any] = answer.json()
    return filed


async def tasks(api: Api) -> dict[str, dict[str, Any]]:
    return {row["processor"]: row for row in await api.rows("SELECT * FROM tasks")}


def lines(task: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(one["disposition"], one["reason"]) for one in json.loads(task["outcome"])["lines"]]


async def test_each_processor_is_told_the_corrections_of_the_fields_that_it_knows(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    await file(caller, CORRECTIONS)
    await hosts.work()
    told = {}
    for task in [one async for one in hosts.sent()]:
        subject, _ = await hosts.opened(task)
        assert subject.export_key is None
        told[task["processor"]] = [(one.field, one.old, one.new) for one in subject.corrections]
    email = ("contact.email", OLD, NEW)
    assert told == {"crm-eu": [email, ("contact.name", None, "Jane Squirrel")], "billing": [email]}


async def test_who_does_not_know_a_field_refuses_it_whether_asked_for_others_or_not_at_all(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    request = await file(caller, CORRECTIONS)
    await hosts.settle_all()
    found = await tasks(api)
    assert lines(found["crm-eu"]) == [("rectified", None)]
    assert lines(found["billing"]) == [("rectified", None), ("refused", "unknown_field")]
    assert lines(found["mailing"]) == [("refused", "unknown_field")]
    assert found["mailing"]["dispatch_no"] == 0
    assert lines(found["files"]) == [("not_applicable", "right_not_served")]
    done = (await caller.get(f"/v1/requests/{request['id']}")).json()
    assert (done["state"], done["outcome"]["headline"]) == ("completed", "partly_fulfilled")


async def test_an_answer_that_comes_twice_is_no_late_evidence(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    await file(caller, CORRECTIONS)
    await hosts.work()
    sent = [task async for task in hosts.sent()]
    for task in [*sent, *sent]:
        await hosts.settle(task)
    assert [json.loads(task["late"]) for task in (await tasks(api)).values()] == [[], [], [], []]


async def test_every_recipient_is_listed_with_what_it_did(api: Api, caller: httpx.AsyncClient, hosts: Hosts) -> None:
    request = await file(caller, CORRECTIONS)
    await hosts.settle_all()
    told = (await caller.get(f"/v1/requests/{request['id']}/recipients")).json()["data"]
    assert {one["processor"]: one["action"] for one in told} == dict.fromkeys(
        ["crm-eu", "billing", "mailing", "files"], "rectify"
    )
    reasons = {one["processor"]: one["not_told_reason"] for one in told}
    assert reasons == {"crm-eu": None, "billing": None, "mailing": "unknown_field", "files": "right_not_served"}


async def test_no_answer_and_no_row_shows_a_value_in_the_clear(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    request = await file(caller, CORRECTIONS)
    await hosts.settle_all()
    pages = [(await caller.get(f"/v1/requests/{request['id']}{one}")).text for one in ("", "/tasks", "/timeline")]
    tables = await api.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'orchestrator'")
    for table in tables:
        pages += [str(row) for row in await api.rows(f"SELECT * FROM {table['tablename']}")]
    everything = "\n".join(pages)
    assert "contact" in everything
    for value in (OLD, NEW, "Squirrel"):
        assert value not in everything


async def test_before_anybody_is_announced_nobody_knows_what_can_be_corrected(
    api: Api, caller: httpx.AsyncClient
) -> None:
    await file(caller, [{"field": "contact.shoe_size", "to": "38"}])
    hosts = Hosts(api.deps)
    await caller.post("/v1/processors", json={"id": "crm-eu", "kind": "crm_eu"})
    await hosts.announce("crm-eu", "crm_eu", serves=SERVES, fields=["contact.email"])
    await hosts.settle_all()
    (row,) = await api.rows("SELECT state, outcome FROM requests")
    assert (row["state"], json.loads(row["outcome"])["headline"]) == ("completed", "refused")


async def test_a_field_that_nobody_can_correct_is_refused_at_once(
    api: Api, caller: httpx.AsyncClient, hosts: Hosts
) -> None:
    corrections = [*CORRECTIONS, {"field": "contact.shoe_size", "to": "38 squirrel"}]
    body = {**RECTIFICATION, "rectification": {"corrections": corrections}}
    alone = await caller.post("/v1/requests", json=body, headers={"idempotency-key": "k"})
    batch = {"requests": [body, REQUEST]}
    together = await caller.post("/v1/requests/batch", json=batch, headers={"idempotency-key": "b"})
    for problem in (alone.json(), together.json()["results"][0]["problem"]):
        assert (problem["status"], problem["code"]) == (422, "field_unknown")
        assert [one["pointer"] for one in problem["errors"]] == ["/rectification/corrections/2/field"]
        assert "contact.name" in problem["detail"]
        assert "squirrel" not in str(problem).lower()
    assert together.json()["results"][1]["status"] == 201
    assert await api.count("requests") == 1
