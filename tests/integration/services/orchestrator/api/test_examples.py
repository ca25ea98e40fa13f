"""Every example of a request in the documentation does what its operation says, sent as it stands."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import jsonschema
import pytest

from contracts.seal import SealedIdentity
from habeas.vocabulary import Action, IdentityType
from services.orchestrator.api.application import OPERATIONS
from services.orchestrator.api.examples import REQUEST
from services.orchestrator.api.openapi import document
from services.orchestrator.api.routing import Operation
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.hosts import Hosts
from tests.integration.services.orchestrator.letters import add_letters

DOCUMENT = document(OPERATIONS, version="1")
CUSTOMER = IdentityType.CUSTOMER_ID
SHOWN = [one for one in OPERATIONS if one.examples]
Prepare = Callable[[Api, httpx.AsyncClient], Awaitable[str]]


async def send(caller: httpx.AsyncClient, operation: Operation, path: str, name: str) -> dict[str, Any]:
    """Send an example; return the answer, which is the documented one."""
    body = operation.examples[name]
    answer = await caller.request(operation.method, path, json=body, headers={"idempotency-key": name})
    assert answer.status_code == operation.status, answer.text
    content = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"][str(operation.status)]
    schema = {**content["content"]["application/json"]["schema"], "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(answer.json())
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize("operation", [one for one in SHOWN if "{" not in one.path], ids=lambda one: one.name)
async def test_what_needs_nothing_before_it(caller: httpx.AsyncClient, operation: Operation) -> None:
    for name in operation.examples:
        await send(caller, operation, operation.path, name)


async def rotated(api: Api, caller: httpx.AsyncClient) -> str:
    """A processor with a second version of its secret; return its id."""
    await caller.post("/v1/processors", json={"id": "crm-eu", "kind": "hubspot"})
    await Hosts(api.deps).announce("crm-eu", "hubspot")
    assert (await caller.post("/v1/processors/crm-eu/rotate")).json()["version"] == 2
    return "crm-eu"


async def sent(api: Api, caller: httpx.AsyncClient, *, action: Action, resolves: tuple[IdentityType, ...] = ()) -> Any:
    """Have a request at one processor, which was sent its first task; return hosts and task."""
    await caller.post("/v1/processors", json={"id": "crm-eu", "kind": "hubspot"})
    hosts = Hosts(api.deps)
    await hosts.announce("crm-eu", "hubspot", accepts=(IdentityType.EMAIL, CUSTOMER), resolves=resolves)
    await caller.post("/v1/requests", json=REQUEST, headers={"idempotency-key": "prepared"})
    await hosts.work()
    (task,) = [task async for task in hosts.sent()]
    assert task["action"] == action
    return hosts, task


async def ambiguous(api: Api, caller: httpx.AsyncClient) -> str:
    """A request that stopped, since two customer ids were found; return its id."""
    hosts, task = await sent(api, caller, action=Action.RESOLVE, resolves=(CUSTOMER,))
    await hosts.settle(task, found=[SealedIdentity(type=CUSTOMER, value=value) for value in ("c-42", "c-43")])
    await hosts.work()
    request = (await caller.get(f"/v1/requests/{task['request_id']}")).json()
    assert request["attention"]["reason"] == "ambiguous_identity"
    return str(request["id"])


async def open_task(api: Api, caller: httpx.AsyncClient) -> str:
    """A task that was sent and has no answer; return its id."""
    _, task = await sent(api, caller, action=Action.ERASE)
    return str(task["id"])


async def dead_letter(api: Api, _: httpx.AsyncClient) -> str:
    """A dead letter; return its number."""
    (number,) = await add_letters(api, 7)
    return str(number)


# By the end of its path: what has to be there, and what the answer says of it.
PREPARED: dict[str, tuple[Prepare, dict[str, Any]]] = {
    "confirm-identities": (ambiguous, {"state": "in_progress", "attention": None}),
    "skip": (open_task, {"state": "settled"}),
    "retire": (rotated, {"state": "retired"}),
    "revoke": (rotated, {"min_secret_version": 2}),
    "discard": (dead_letter, {"state": "discarded"}),
}


@pytest.mark.parametrize("operation", [one for one in SHOWN if "{" in one.path], ids=lambda one: one.name)
async def test_what_is_done_to_something_that_is_there(
    api: Api, caller: httpx.AsyncClient, operation: Operation
) -> None:
    prepare, expected = PREPARED[operation.path.rpartition("/")[2]]
    name = await prepare(api, caller)
    path = operation.path.format(service="orchestrator", request_id=name, task_id=name, processor=name, letter_id=name)
    told = await send(caller, operation, path, "example")
    assert {field: told[field] for field in expected} == expected
    assert operation.examples.keys() == {"example"}
