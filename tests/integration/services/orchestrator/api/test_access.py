"""Who may do what: keys, scopes, and that every route is covered by one."""

from datetime import timedelta

import httpx
import pytest
from starlette.routing import Route

from habeas.vocabulary import Scope
from services.orchestrator.api.application import OPERATIONS
from services.orchestrator.api.examples import REQUEST
from services.orchestrator.api.routing import Operation
from services.orchestrator.domain import api_key
from services.orchestrator.handlers import authenticate
from services.orchestrator.handlers.issue_key import revoke_key
from tests.integration.services.orchestrator.conftest import NOW, Api

# What nobody needs a key for: it says nothing about any request.
PUBLIC = {"/openapi.json", "/reference", "/requests/{request_id}", "/healthz/live", "/healthz/ready", "/metrics"}
# What the examples need beside the operation's own scope: who vouches or gives must be allowed to.
BESIDE = {
    "file_request": (Scope.IDENTITY_ASSERT,),
    "issue_key": (Scope.REQUESTS_FILE, Scope.REQUESTS_READ),
}
UNKNOWN = "req_01J00000000000000000000000"


def concrete(operation: Operation) -> str:
    """The operation's path with ids in it."""
    return operation.path.format(
        request_id=UNKNOWN, task_id="tsk_01J00000000000000000000000", processor="crm-eu", service="orchestrator",
        letter_id="1", name="reports",
        key_id="key_01J00000000000000000000000",
    )  # fmt: skip


async def call(client: httpx.AsyncClient, operation: Operation) -> httpx.Response:
    return await client.request(
        operation.method, concrete(operation), json=operation.example, headers={"idempotency-key": "k"}
    )


async def test_every_route_is_public_on_purpose_or_an_operation_with_a_scope(api: Api) -> None:
    known = {(operation.method, operation.path) for operation in OPERATIONS}
    assert len(known) == len(OPERATIONS)
    for route in api.app.routes:
        assert isinstance(route, Route)
        methods = (route.methods or set()) - {"HEAD"}
        assert route.path in PUBLIC or {(method, route.path) for method in methods} <= known
        assert route.path not in PUBLIC or methods == {"GET"}
    assert known <= {
        (method, route.path) for route in api.app.routes if isinstance(route, Route) for method in route.methods or ()
    }


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
async def test_an_operation_is_closed_without_a_key_and_without_its_scope(api: Api, operation: Operation) -> None:
    async with api.client() as nobody:
        answer = await call(nobody, operation)
    assert (answer.status_code, answer.json()["code"]) == (401, "key_missing")
    assert answer.headers["www-authenticate"] == "Bearer"
    others = [scope for scope in Scope if scope is not operation.scope]
    async with api.client(await api.key(*others)) as caller:
        answer = await call(caller, operation)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert operation.scope.value in answer.json()["detail"]
    for table in ("requests", "processors"):
        assert await api.count(table) == 0


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
async def test_an_operation_is_open_with_its_scope_alone(api: Api, operation: Operation) -> None:
    async with api.client(await api.key(operation.scope, *BESIDE.get(operation.name, ()))) as caller:
        answer = await call(caller, operation)
    assert answer.status_code in {200, 201, 404}, answer.text


async def test_keys_that_can_not_exist_are_told_from_keys_that_do_not(api: Api) -> None:
    good = await api.key()
    stranger = api_key.mint(livemode=True).text
    mistyped = good[:-1] + ("0" if good[-1] != "0" else "1")
    for sent, code in (
        (f"Bearer {stranger}", "key_unknown"),
        (f"Bearer {mistyped}", "key_malformed"),
        (f"Bearer {good.replace('live', 'test')}", "key_malformed"),
        (f"Basic {good}", "key_malformed"),
        (good, "key_malformed"),
        ("Bearer ", "key_malformed"),
    ):
        async with api.client() as caller:
            answer = await caller.get("/v1/requests", headers={"authorization": sent})
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert good not in answer.text


async def test_a_mistyped_key_costs_no_look_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(authenticate.Authenticator, "_ask", never)
    async with api.client("hab_live_" + "x" * 43 + "_000000") as caller:
        assert (await caller.get("/v1/requests")).status_code == 401


async def test_a_revoked_key_ends_within_a_minute(api: Api) -> None:
    assert authenticate.REMEMBERED <= 10
    now = 0.0
    authenticator = authenticate.Authenticator(api.deps.database, api.clock, monotonic=lambda: now)
    header = f"Bearer {await api.key()}"
    principal = await authenticator.authenticate(header)
    async with api.deps.database.transaction() as connection:
        assert await revoke_key(connection, principal.key_id, at=NOW)
        assert not await revoke_key(connection, principal.key_id, at=NOW)
    assert await authenticator.authenticate(header) == principal
    now = authenticate.REMEMBERED
    with pytest.raises(authenticate.Unauthenticated) as refused:
        await authenticator.authenticate(header)
    assert refused.value.code == "key_unknown"


async def test_an_expired_key_ends_at_once(api: Api, caller: httpx.AsyncClient) -> None:
    assert (await caller.get("/v1/requests")).status_code == 200
    await api.execute("UPDATE api_keys SET expires_at = $1", NOW + timedelta(hours=1))
    async with api.client(await api.key(client="late")) as late:
        await api.execute("UPDATE api_keys SET expires_at = $1", NOW + timedelta(hours=1))
        assert (await late.get("/v1/requests")).status_code == 200
        api.clock.advance(timedelta(hours=1))
        answer = await late.get("/v1/requests")
    assert (answer.status_code, answer.json()["code"]) == (401, "key_expired")


async def test_only_a_digest_of_a_key_is_kept(api: Api) -> None:
    key = await api.key()
    (row,) = await api.rows("SELECT * FROM api_keys")
    assert key not in str(row)
    assert key.split("_")[2] not in str(row)
    assert row["hint"] == key[-4:]


async def test_the_use_of_a_key_is_noted(api: Api, caller: httpx.AsyncClient) -> None:
    await caller.get("/v1/requests")
    (row,) = await api.rows("SELECT last_used_at FROM api_keys")
    assert row["last_used_at"] == NOW


async def test_another_client_s_request_is_as_unknown_as_none(api: Api, caller: httpx.AsyncClient) -> None:
    filed = await caller.post("/v1/requests", json=REQUEST, headers={"idempotency-key": "k"})
    request_id = filed.json()["id"]
    own = [scope for scope in Scope if scope is not Scope.REQUESTS_READ_ALL]
    async with api.client(await api.key(*own, client="other")) as other:
        for method, rest in (
            ("GET", ""), ("GET", "/tasks"), ("GET", "/timeline"), ("GET", "/recipients"), ("POST", "/cancel"),
            ("POST", "/retry"),
        ):  # fmt: skip
            here = await other.request(method, f"/v1/requests/{request_id}{rest}")
            there = await other.request(method, f"/v1/requests/{UNKNOWN}{rest}")
            differing = {"request_id"}
            assert here.status_code == there.status_code == 404
            assert {key: value for key, value in here.json().items() if key not in differing} == {
                key: value for key, value in there.json().items() if key not in differing
            }
        assert (await other.get("/v1/requests")).json()["data"] == []
    (row,) = await api.rows("SELECT state FROM requests")
    assert row["state"] == "received"
