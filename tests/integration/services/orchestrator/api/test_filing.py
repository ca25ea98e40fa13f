"""Filing a request: what is stored, answered and told, and that the same key never files twice."""

import asyncio
import copy
import json
from datetime import timedelta
from typing import Any

import httpx

from habeas.vocabulary import Scope
from services.chassis import faultpoints
from services.orchestrator.api.examples import REQUEST
from services.orchestrator.domain.timeline import ORIGIN, Entry, chain
from services.orchestrator.handlers.secrets import unpack
from tests.integration.services.orchestrator.conftest import NOW, Api


def body(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(REQUEST), **changes}


async def file(caller: httpx.AsyncClient, key: str = "k-1", **changes: Any) -> httpx.Response:
    return await caller.post("/v1/requests", json=body(**changes), headers={"idempotency-key": key})


async def test_a_filed_request_is_answered_stored_and_told_of(api: Api, caller: httpx.AsyncClient) -> None:
    answer = await file(caller, received_at="2026-11-20T10:30:00+02:00", metadata={"queue": "a"})

    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert answer.headers["location"] == f"/v1/requests/{shown['id']}"
    assert shown["state"] == "received"
    assert shown["due_on"] == "2026-12-21"  # the 20th is a Sunday
    assert shown["received_at"] == "2026-11-20T08:30:00Z"
    assert shown["reference"] == "TICKET-42"
    assert shown["metadata"] == {"queue": "a"}
    assert "jane" not in answer.text
    assert (await caller.get(f"/v1/requests/{shown['id']}")).json() == shown
    (fact,) = await api.rows("SELECT topic, key, headers, value FROM outbox")
    assert (fact["topic"], fact["key"]) == ("habeas.requests.v1", shown["id"])
    assert json.loads(fact["value"])["request_id"] == shown["id"]
    (stored,) = await api.rows("SELECT advance, round, due_at FROM requests")
    assert stored["advance"]
    assert stored["due_at"].isoformat() == "2026-12-21T22:59:59.999999+00:00"


async def test_the_first_entry_of_the_timeline_starts_the_chain(api: Api, caller: httpx.AsyncClient) -> None:
    shown = (await file(caller)).json()
    (row,) = (await caller.get(f"/v1/requests/{shown['id']}/timeline")).json()["data"]
    entry = Entry(1, row["event"], row["type"], NOW, actor=row["actor"])
    assert row["type"] == "request.received"
    assert row["hash"] == chain(ORIGIN, entry).hex()
    (stored,) = await api.rows("SELECT timeline_seq, timeline_hash FROM requests")
    assert (stored["timeline_seq"], stored["timeline_hash"].hex()) == (1, row["hash"])


async def test_what_concerns_the_subject_is_encrypted_under_the_request_s_own_key(
    api: Api, caller: httpx.AsyncClient
) -> None:
    twice = [{"type": "email", "value": "jane@example.com"}, {"type": "email", "value": "Jane@Example.com "}]
    shown = (await file(caller, subject={"identities": twice})).json()
    (row,) = await api.rows("SELECT wrapped, sealed FROM request_keys JOIN request_secrets USING (request_id)")
    key = api.deps.at_rest.unwrap(row["wrapped"])
    secrets = unpack(key, shown["id"], row["sealed"])
    assert [(one.type, one.value, one.provenance) for one in secrets.identities] == [
        ("email", "jane@example.com", "filed")
    ]
    assert secrets.reference == "TICKET-42"
    assert secrets.contact is None
    dump = str(await api.rows("SELECT * FROM requests, outbox, timeline")) + str(row["sealed"])
    assert "jane" not in dump.lower()
    assert "TICKET-42" not in dump


async def test_the_reference_is_gone_with_the_key(api: Api, caller: httpx.AsyncClient) -> None:
    shown = (await file(caller)).json()
    await api.execute("DELETE FROM request_keys")
    assert (await caller.get(f"/v1/requests/{shown['id']}")).json()["reference"] is None


async def test_the_same_key_and_body_give_the_stored_request(api: Api, caller: httpx.AsyncClient) -> None:
    first = await file(caller)
    again = await file(caller)
    assert again.status_code == 201
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert again.json() == first.json()
    assert await api.count("requests") == await api.count("outbox") == await api.count("cases") == 1


async def test_a_quoted_key_and_a_bare_one_are_the_same(api: Api, caller: httpx.AsyncClient) -> None:
    quoted, bare = await file(caller, key='"k-7"'), await file(caller, key="k-7")
    assert quoted.json()["id"] == bare.json()["id"]
    assert len(await api.rows("SELECT id FROM requests")) == 1


async def test_the_same_key_with_another_body_is_refused(api: Api, caller: httpx.AsyncClient) -> None:
    await file(caller)
    again = await file(caller, channel="letter")
    assert (again.status_code, again.json()["code"]) == (422, "idempotency_key_reused")
    assert await api.count("requests") == 1


async def test_keys_of_clients_and_modes_do_not_meet(api: Api, caller: httpx.AsyncClient) -> None:
    async with (
        api.client(await api.key(client="other")) as other,
        api.client(await api.key(livemode=False)) as test_mode,
    ):
        ids = {(await file(one)).json()["id"] for one in (caller, other, test_mode)}
        assert len(ids) == 3
        live_id = (await file(caller)).json()["id"]
        assert (await test_mode.get(f"/v1/requests/{live_id}")).status_code == 404


async def test_one_key_fifty_times_at_once_in_two_processes_makes_one_request(api: Api, other_api: Api) -> None:
    key = await api.key()
    async with api.client(key) as here, other_api.client(key) as there:
        answers = await asyncio.gather(*(file(caller) for caller in (here, there) * 25))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    for table in ("requests", "cases", "request_keys", "request_secrets", "timeline", "outbox"):
        assert await api.count(table) == 1, table


async def test_many_keys_crosswise_in_two_processes_make_one_request_each(api: Api, other_api: Api) -> None:
    key = await api.key()
    names = [f"k-{number}" for number in range(40)]
    async with api.client(key) as here, other_api.client(key) as there:
        answers = await asyncio.gather(
            *(file(here, name) for name in names), *(file(there, name) for name in reversed(names))
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 40
    assert await api.count("requests") == await api.count("outbox") == 40


async def test_two_bodies_with_one_key_at_once_store_one(api: Api, caller: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(file(caller), file(caller, channel="letter"))
    assert sorted(answer.status_code for answer in answers) == [201, 422]
    assert await api.count("requests") == 1


async def test_rights_of_one_letter_share_a_case(api: Api, caller: httpx.AsyncClient) -> None:
    first = (await file(caller)).json()
    second = (await file(caller, "k-2", case=first["case"])).json()
    assert second["case"] == first["case"]
    assert await api.count("cases") == 1


async def test_a_case_of_somebody_else_is_as_unknown_as_none(api: Api, caller: httpx.AsyncClient) -> None:
    case = (await file(caller)).json()["case"]
    async with api.client(await api.key(client="other")) as other:
        for named in (case, "cas_01J00000000000000000000000"):
            answer = await file(other, case=named)
            assert (answer.status_code, answer.json()["code"]) == (422, "case_not_found")
    assert await api.count("requests") == await api.count("outbox") == 1


async def test_a_failure_before_the_commit_stores_nothing_and_a_retry_files(
    api: Api, caller: httpx.AsyncClient
) -> None:
    faultpoints.arm("filing.before_commit:raise", environment="test")
    answer = await file(caller)
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    for table in ("requests", "cases", "request_keys", "request_secrets", "timeline", "outbox"):
        assert await api.count(table) == 0, table
    assert (await file(caller)).status_code == 201


async def test_a_failure_after_the_commit_is_resolved_by_the_same_key(api: Api, caller: httpx.AsyncClient) -> None:
    faultpoints.arm("filing.committed:raise", environment="test")
    assert (await file(caller)).status_code == 500
    again = await file(caller)
    assert again.status_code == 201
    assert await api.count("requests") == await api.count("outbox") == 1


async def test_a_batch_judges_each_request_by_itself(api: Api, caller: httpx.AsyncClient) -> None:
    batch = {"requests": [body(), body(right="restriction"), {"right": "erasure"}, body(reference="T-2")]}
    answer = await caller.post("/v1/requests/batch", json=batch, headers={"idempotency-key": "b"})
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [one["status"] for one in results] == [201, 422, 422, 201]
    assert [one["index"] for one in results] == [0, 1, 2, 3]
    assert results[1]["problem"]["code"] == "right_not_offered"
    assert {error["pointer"] for error in results[2]["problem"]["errors"]} == {"/subject", "/identity_check"}
    assert await api.count("requests") == 2
    again = (await caller.post("/v1/requests/batch", json=batch, headers={"idempotency-key": "b"})).json()["results"]
    assert [one["request"]["id"] for one in (again[0], again[3])] == [
        one["request"]["id"] for one in (results[0], results[3])
    ]
    assert await api.count("requests") == 2


async def test_a_batch_needs_the_scope_to_vouch_item_by_item(api: Api) -> None:
    async with api.client(await api.key(Scope.REQUESTS_FILE)) as caller:
        answer = await caller.post("/v1/requests/batch", json={"requests": [body()]}, headers={"idempotency-key": "b"})
    (result,) = answer.json()["results"]
    assert (result["status"], result["problem"]["code"]) == (403, "scope_missing")
    assert await api.count("requests") == 0


async def test_a_receipt_slightly_ahead_of_our_clock_counts_as_now(api: Api, caller: httpx.AsyncClient) -> None:
    ahead = (NOW + timedelta(seconds=20)).isoformat()
    assert (await file(caller, received_at=ahead)).json()["received_at"] == "2026-11-20T09:30:00Z"


async def test_the_trace_of_the_caller_goes_on(api: Api, caller: httpx.AsyncClient) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await caller.post(
        "/v1/requests",
        json=body(),
        headers={"idempotency-key": "k", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"},
    )
    assert answer.headers["trace-id"] == trace
    (row,) = await api.rows("SELECT traceparent, headers FROM requests, outbox")
    assert row["traceparent"].split("-")[1] == trace
    assert row["traceparent"].endswith("-01")
    assert json.loads(row["headers"])["traceparent"] == row["traceparent"]
