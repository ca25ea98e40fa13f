"""When the database is away or we made a mistake: the caller learns whether to come again, and nothing else."""

import asyncio
import logging
from collections.abc import Sequence

import asyncpg
import httpx
import pytest

from services.chassis.postgres.pool import Database
from services.orchestrator.api import requests
from services.orchestrator.api.examples import REQUEST
from services.orchestrator.handlers import file_requests
from services.orchestrator.handlers.prepare_filing import Filing
from tests.integration.services.orchestrator.conftest import Api


async def test_while_the_database_is_away_the_answer_is_503_and_says_when_to_come_again(
    api: Api, caller: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await caller.get("/v1/requests")).status_code == 200  # its key is remembered

    def away(_: Database) -> None:
        raise asyncpg.CannotConnectNowError("the database system is shutting down")

    monkeypatch.setattr(Database, "transaction", away)
    monkeypatch.setattr(Database, "connection", away)
    for answer in (
        await caller.get("/v1/requests"),
        await caller.post("/v1/requests", json=REQUEST, headers={"idempotency-key": "k"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.json()["retryable"] is True
        assert answer.headers["retry-after"] == "1"
        assert "shutting" not in answer.text
    monkeypatch.undo()
    assert (await caller.post("/v1/requests", json=REQUEST, headers={"idempotency-key": "k"})).status_code == 201
    assert await api.count("requests") == 1


async def test_connections_that_were_cut_are_503_and_the_next_call_works(
    api: Api, caller: httpx.AsyncClient, orchestrator_owner_url: str
) -> None:
    owner = await asyncpg.connect(orchestrator_owner_url)
    held = await asyncio.gather(*(caller.get("/v1/requests") for _ in range(4)))
    assert {answer.status_code for answer in held} == {200}
    await owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await owner.close()
    codes: list[int] = []
    while not codes or codes[-1] != 201:
        answer = await caller.post("/v1/requests", json=REQUEST, headers={"idempotency-key": "k"})
        codes.append(answer.status_code)
    assert set(codes) <= {503, 201}
    assert await api.count("requests") == 1


async def test_a_mistake_of_ours_is_500_without_text_in_answer_and_log(
    api: Api, caller: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("jane@example.com")

    monkeypatch.setattr(requests, "load", broken)
    with caplog.at_level(logging.ERROR):
        answer = await caller.get("/v1/requests/req_01J00000000000000000000000")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "jane" not in answer.text
    assert "jane" not in str([record.__dict__ for record in caplog.records if record.name.startswith("services")])
    (record,) = [record for record in caplog.records if record.msg == "http.failed"]
    assert record.__dict__["habeas"]["x_request_id"] == answer.headers["x-request-id"]
    assert record.__dict__["habeas"]["error"] == "RuntimeError"


async def test_more_than_can_be_stored_soon_is_refused_before_any_of_it(
    api: Api, caller: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_requests, "MAX_WAITING", 2)
    batch = {"requests": [REQUEST] * 3}
    answer = await caller.post("/v1/requests/batch", json=batch, headers={"idempotency-key": "b"})
    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
    assert await api.count("requests") == 0


async def test_one_filing_that_the_database_refuses_does_not_fail_its_neighbours(
    api: Api, caller: httpx.AsyncClient, orchestrator_owner_url: str
) -> None:
    owner = await asyncpg.connect(orchestrator_owner_url)
    await owner.execute("ALTER TABLE orchestrator.requests ADD CONSTRAINT test_only CHECK (channel <> 'letter')")
    try:
        bodies = [{**REQUEST, "channel": "letter" if number == 2 else "api"} for number in range(5)]
        answer = await caller.post("/v1/requests/batch", json={"requests": bodies}, headers={"idempotency-key": "b"})
    finally:
        await owner.execute("ALTER TABLE orchestrator.requests DROP CONSTRAINT test_only")
        await owner.close()
    results = answer.json()["results"]
    assert [one["status"] for one in results] == [201, 201, 500, 201, 201]
    assert results[2]["problem"]["code"] == "internal_error"
    assert await api.count("requests") == await api.count("outbox") == 4


async def test_a_caller_that_hangs_up_does_not_disturb_the_others(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    storing = asyncio.Event()
    store_once = file_requests.Filer._store_once

    async def watched(filer: file_requests.Filer, batch: Sequence[Filing]) -> list[file_requests.Result]:
        storing.set()
        return await store_once(filer, batch)

    monkeypatch.setattr(file_requests.Filer, "_store_once", watched)
    async with api.client(await api.key()) as caller:
        calls = [
            asyncio.create_task(caller.post("/v1/requests", json=REQUEST, headers={"idempotency-key": f"k-{number}"}))
            for number in range(6)
        ]
        await storing.wait()
        calls[0].cancel()
        answers = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert [one.status_code for one in answers[1:] if isinstance(one, httpx.Response)] == [201] * 5
