"""Issuing and revoking API keys over HTTP."""

import httpx
import pytest

from contracts.http import KeyInfoOut, KeyOut
from habeas.vocabulary import Scope
from services.orchestrator.api.examples import KEY
from services.orchestrator.handlers import authenticate
from tests.integration.services.orchestrator.conftest import Api


async def test_an_issued_key_works_with_its_scopes_and_ends_when_it_is_revoked(
    api: Api, caller: httpx.AsyncClient
) -> None:
    issued = await caller.post("/v1/keys", json=KEY)
    assert issued.status_code == 201, issued.text
    key = KeyOut.model_validate(issued.json())
    async with api.client(key.secret) as client:
        assert (await client.get("/v1/requests")).status_code == 200
        assert (await client.get("/v1/processors")).status_code == 403
    listed = (await caller.get("/v1/keys")).json()
    assert key.secret not in str(listed)
    newest = KeyInfoOut.model_validate(listed["data"][0])
    assert (newest.id, newest.client_name, newest.hint) == (key.id, "ticket-system", key.secret[-4:])
    for _ in range(2):
        revoked = await caller.delete(f"/v1/keys/{key.id}")
        assert revoked.status_code == 200, revoked.text
        assert revoked.json()["revoked_at"] is not None
    other_process = authenticate.Authenticator(api.deps.database, api.clock)
    with pytest.raises(authenticate.Unauthenticated) as refused:
        await other_process.authenticate(f"Bearer {key.secret}")
    assert refused.value.code == "key_unknown"


async def test_two_keys_of_one_name_are_one_client(caller: httpx.AsyncClient) -> None:
    clients = {(await caller.post("/v1/keys", json=KEY)).json()["client"] for _ in range(2)}
    assert len(clients) == 1


async def test_nobody_gives_a_scope_or_a_mode_that_they_do_not_have(api: Api) -> None:
    async with api.client(await api.key(Scope.KEYS_ADMIN, Scope.REQUESTS_READ)) as admin:
        answer = await admin.post("/v1/keys", json=KEY)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
        assert (await admin.post("/v1/keys", json={**KEY, "scopes": ["requests:read"]})).status_code == 201
    async with api.client(await api.key(livemode=False)) as rehearsal:
        assert (await rehearsal.post("/v1/keys", json=KEY)).status_code == 403
        assert (await rehearsal.post("/v1/keys", json={**KEY, "livemode": False})).status_code == 201
    assert await api.count("api_keys") == 4


async def test_a_key_that_is_not_there_and_one_of_the_other_mode(api: Api, caller: httpx.AsyncClient) -> None:
    await api.key(livemode=False, client="rehearsal")
    (row,) = await api.rows("SELECT id FROM api_keys WHERE NOT livemode")
    for key_id in ("key_01J00000000000000000000000", "x", row["id"]):
        answer = await caller.delete(f"/v1/keys/{key_id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    (row,) = await api.rows("SELECT revoked_at FROM api_keys WHERE NOT livemode")
    assert row["revoked_at"] is None


async def test_a_key_without_scopes_or_of_a_name_that_is_none_is_refused(caller: httpx.AsyncClient) -> None:
    for body, pointer in (({**KEY, "scopes": []}, "/scopes"), ({**KEY, "client": "a\nb"}, "/client")):
        answer = await caller.post("/v1/keys", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
