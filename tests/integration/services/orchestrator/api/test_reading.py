"""Reading requests back: lists, filters, pages, tasks, recipients and the timeline."""

import json
from datetime import timedelta
from typing import Any

import httpx

from contracts.http import RecipientOut, RequestOut, TaskOut
from services.orchestrator.api.examples import REQUEST
from tests.integration.services.orchestrator.conftest import NOW, Api

TASK = "tsk_01J0000000000000000000000"
OUTCOME = {
    "headline": "fulfilled",
    "lines": [{"category": "contact", "disposition": "erased", "count": 2, "checked": "verified"}],
}
NOTHING = {
    "headline": "not_fulfilled",
    "lines": [
        {
            "category": "all", "disposition": "not_applicable", "count": 0, "checked": "not_checkable",
            "reason": "not_served",
        }
    ],
}  # fmt: skip


async def file(caller: httpx.AsyncClient, key: str, **changes: Any) -> RequestOut:
    answer = await caller.post("/v1/requests", json={**REQUEST, **changes}, headers={"idempotency-key": key})
    assert answer.status_code == 201, answer.text
    return RequestOut.model_validate(answer.json())


async def add_task(api: Api, request: RequestOut, number: int, *, processor: str, action: str, **columns: Any) -> str:
    """Plan a task behind the API's back."""
    await api.execute(
        "INSERT INTO processors (id, kind, enrolment_id, manifest) VALUES ($1, 'hubspot', 'enr_1', $2)"
        " ON CONFLICT DO NOTHING",
        processor,
        json.dumps({"title": "CRM Europe"}),
    )
    task_id = f"{TASK}{number}"
    values = {"state": "ready", **columns}
    names = ", ".join(values)
    places = ", ".join(f"${place}" for place in range(5, 5 + len(values)))
    await api.execute(
        f"INSERT INTO tasks (id, request_id, processor, action, round, {names}) VALUES ($1, $2, $3, $4, 0, {places})",
        task_id, request.id, processor, action, *values.values(),
    )  # fmt: skip
    return task_id


async def ids(caller: httpx.AsyncClient, query: str) -> list[str]:
    answer = await caller.get(f"/v1/requests?{query}")
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["data"]]


async def test_pages_go_from_the_newest_to_the_oldest_without_gap_or_repetition(
    api: Api, caller: httpx.AsyncClient
) -> None:
    filed = [(await file(caller, f"k-{number}")).id for number in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await caller.get(f"/v1/requests?limit=2{cursor}")).json()
        seen += [one["id"] for one in page["data"]]
        if len(seen) == 2:
            await file(caller, "k-new")  # what comes in between belongs to the top, not to this walk
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == sorted(filed, reverse=True)


async def test_a_cursor_of_other_filters_or_of_somebody_else_is_refused(api: Api, caller: httpx.AsyncClient) -> None:
    for number in range(2):
        await file(caller, f"k-{number}")
    cursor = (await caller.get("/v1/requests?limit=1")).json()["next_cursor"]
    assert (await caller.get(f"/v1/requests?limit=2&cursor={cursor}")).status_code == 200
    async with api.client(await api.key(client="other")) as other:
        for who, query in ((caller, "state=received&"), (other, "")):
            answer = await who.get(f"/v1/requests?{query}cursor={cursor}")
            assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")


async def test_filters(api: Api, caller: httpx.AsyncClient) -> None:
    old = await file(caller, "k-old", received_at=(NOW - timedelta(days=90)).isoformat())
    api.clock.advance(timedelta(seconds=1))
    new = await file(caller, "k-new")
    await add_task(api, old, 1, processor="crm-eu", action="erase")
    assert await ids(caller, "overdue=true") == [old.id]
    assert await ids(caller, "overdue=false") == [new.id]
    assert await ids(caller, "processor=crm-eu") == [old.id]
    assert await ids(caller, "processor=files") == []
    assert await ids(caller, "state=received&right=erasure") == [new.id, old.id]
    assert await ids(caller, "state=completed") == []
    assert await ids(caller, f"due_before={new.due_on}") == [old.id]
    assert await ids(caller, "created_after=2026-11-20T09:30:00Z") == [new.id]
    assert await ids(caller, "created_after=2026-11-20T09:30:00.5%2B00:00") == [new.id]
    assert await ids(caller, "attention=true") == []
    await api.execute("UPDATE requests SET state = 'cancelled', completed_at = $2 WHERE id = $1", old.id, NOW)
    assert await ids(caller, "overdue=true") == []


async def test_a_task_that_needs_a_person_shows_on_its_request(api: Api, caller: httpx.AsyncClient) -> None:
    request = await file(caller, "k")
    attention = json.dumps({"reason": "silent", "since": NOW.isoformat()})
    await add_task(api, request, 1, processor="crm-eu", action="erase", state="dispatched", attention=attention)
    shown = RequestOut.model_validate((await caller.get(f"/v1/requests/{request.id}")).json())
    assert shown.attention is not None
    assert (shown.attention.reason, shown.attention.processor) == ("silent", "crm-eu")
    assert await ids(caller, "attention=true") == [request.id]
    await api.execute("UPDATE tasks SET state = 'settled'")
    assert await ids(caller, "attention=false") == [request.id]


async def test_tasks_show_their_processor_and_outcome(api: Api, caller: httpx.AsyncClient) -> None:
    request = await file(caller, "k")
    settled = {"state": "settled", "outcome": json.dumps(OUTCOME), "dispatched_at": NOW, "settled_at": NOW}
    task_id = await add_task(api, request, 1, processor="crm-eu", action="erase", **settled)
    (row,) = (await caller.get(f"/v1/requests/{request.id}/tasks")).json()["data"]
    task = TaskOut.model_validate(row)
    assert (task.id, task.processor_title, task.state) == (task_id, "CRM Europe", "settled")
    assert task.outcome is not None
    assert task.outcome.lines[0].count == 2


async def test_recipients_say_when_each_was_told_or_why_not(api: Api, caller: httpx.AsyncClient) -> None:
    request = await file(caller, "k")
    await add_task(api, request, 1, processor="crm-eu", action="resolve", state="settled", dispatched_at=NOW)
    await add_task(api, request, 2, processor="crm-eu", action="erase", state="dispatched", dispatched_at=NOW)
    await add_task(api, request, 3, processor="files", action="erase", state="settled", outcome=json.dumps(NOTHING))
    await add_task(
        api, request, 4, processor="billing", action="erase", state="waiting",
        attention=json.dumps({"reason": "never_announced", "since": NOW.isoformat()}),
    )  # fmt: skip
    rows = (await caller.get(f"/v1/requests/{request.id}/recipients")).json()["data"]
    told = {one.processor: one for one in map(RecipientOut.model_validate, rows)}
    assert told.keys() == {"crm-eu", "files", "billing"}
    assert (told["crm-eu"].told_at, told["crm-eu"].not_told_reason) == (NOW, None)
    assert (told["files"].told_at, told["files"].not_told_reason) == (None, "not_served")
    assert told["billing"].not_told_reason == "never_announced"


async def test_a_long_timeline_comes_in_pages(api: Api, caller: httpx.AsyncClient) -> None:
    request = await file(caller, "k")
    await api.execute(
        "INSERT INTO timeline (request_id, seq, event_id, type, at, hash)"
        " SELECT $1, n, 'evt_' || n, 'task.progressed', now(), '\\x00' FROM generate_series(2, 1200) AS n",
        request.id,
    )
    path = f"/v1/requests/{request.id}/timeline"
    seen: list[int] = []
    cursor: str | None = ""
    pages = 0
    while cursor is not None:
        page = (await caller.get(path + (f"?cursor={cursor}" if cursor else ""))).json()
        seen += [one["sequence"] for one in page["data"]]
        cursor = page["next_cursor"]
        pages += 1
    assert seen == list(range(1, 1201))
    assert pages == 3
