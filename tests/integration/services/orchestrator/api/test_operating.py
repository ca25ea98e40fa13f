"""What operators do over HTTP: processors, dead letters, consumers, and requests that exist."""

import base64
from typing import Any

import httpx
import pytest

from contracts.enrolments import EnrolmentOut, ProcessorOut
from contracts.http import ConsumerOut, DeadLetterOut, RequestOut
from services.orchestrator.api.examples import REASON, REQUEST
from services.orchestrator.handlers import enrol_processor
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.letters import add_letters

CRM = {"id": "crm-eu", "kind": "hubspot"}


async def enrol(caller: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    return await caller.post("/v1/processors", json={**CRM, **changes})


async def processors(caller: httpx.AsyncClient) -> list[ProcessorOut]:
    return [ProcessorOut.model_validate(one) for one in (await caller.get("/v1/processors")).json()["data"]]


async def test_enrolling_makes_the_topic_the_row_and_a_secret_that_is_stored_nowhere(
    api: Api, caller: httpx.AsyncClient
) -> None:
    answer = await enrol(caller)
    assert answer.status_code == 201, answer.text
    enrolment = EnrolmentOut.model_validate(answer.json())
    secret = base64.b64decode(enrolment.secret)
    assert secret == api.deps.root.enrolment_secret("crm-eu", enrolment.enrolment, enrolment.version)
    assert api.provisioned == ["crm-eu"]
    (row,) = await api.rows("SELECT * FROM processors")
    assert enrolment.secret not in str(row)
    assert secret not in row.values()
    (shown,) = await processors(caller)
    assert (shown.id, shown.kind, shown.state, shown.open_tasks) == ("crm-eu", "hubspot", "enrolled", 0)


async def test_enrolling_twice_is_one_enrolment(api: Api, caller: httpx.AsyncClient) -> None:
    assert (await enrol(caller)).json() == (await enrol(caller)).json()
    assert await api.count("processors") == 1


async def test_an_id_that_is_enrolled_as_another_kind_is_refused_before_anything_is_made(
    api: Api, caller: httpx.AsyncClient
) -> None:
    await enrol(caller)
    answer = await enrol(caller, kind="s3")
    assert (answer.status_code, answer.json()["code"]) == (409, "processor_kind_differs")
    assert api.provisioned == ["crm-eu"]


async def test_a_retired_id_is_enrolled_anew_under_other_keys(api: Api, caller: httpx.AsyncClient) -> None:
    first = (await enrol(caller)).json()
    retired = await caller.post("/v1/processors/crm-eu/retire", json=REASON)
    assert retired.status_code == 200, retired.text
    assert (retired.json()["state"], retired.json()["retired_reason"]) == ("retired", REASON["reason"])
    again = await caller.post("/v1/processors/crm-eu/retire", json=REASON)
    assert (again.status_code, again.json()["code"]) == (409, "already_retired")
    second = (await enrol(caller, kind="s3")).json()
    assert second["enrolment"] != first["enrolment"]
    assert second["secret"] != first["secret"]
    (shown,) = await processors(caller)
    assert (shown.kind, shown.state, shown.retired_at, shown.retired_reason) == ("s3", "enrolled", None, None)


async def test_the_notifier_s_name_is_taken(caller: httpx.AsyncClient) -> None:
    answer = await enrol(caller, id="notifier", kind="hubspot")
    assert (answer.status_code, answer.json()["code"]) == (409, "processor_reserved")


@pytest.mark.parametrize("name", ["", "CRM", "a", "crm/eu", "-crm", "x" * 41])
async def test_an_id_that_can_not_name_a_topic_is_refused(api: Api, caller: httpx.AsyncClient, name: str) -> None:
    answer = await enrol(caller, id=name)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/id")
    assert api.provisioned == []


async def test_enrolling_wakes_requests_that_found_nothing_to_plan(api: Api, caller: httpx.AsyncClient) -> None:
    await caller.post("/v1/requests", json=REQUEST, headers={"idempotency-key": "k"})
    await api.execute('UPDATE requests SET advance = false, attention = \'{"reason": "no_processors"}\'')
    await enrol(caller)
    (row,) = await api.rows("SELECT advance FROM requests")
    assert row["advance"]
    assert "FOR UPDATE" in enrol_processor.SQL["wake_waiting"]


async def test_nothing_to_approve_and_nobody_to_retire(caller: httpx.AsyncClient) -> None:
    await enrol(caller)
    answer = await caller.post("/v1/processors/crm-eu/approve")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_pending")
    for rest, body in (("approve", None), ("retire", REASON)):
        answer = await caller.post(f"/v1/processors/nobody/{rest}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_request_is_cancelled_once_and_stays_so(api: Api, caller: httpx.AsyncClient) -> None:
    filed = (await caller.post("/v1/requests", json=REQUEST, headers={"idempotency-key": "k"})).json()
    for _ in range(2):
        answer = await caller.post(f"/v1/requests/{filed['id']}/cancel")
        assert answer.status_code == 200, answer.text
        assert RequestOut.model_validate(answer.json()).state == "cancelled"
    timeline = (await caller.get(f"/v1/requests/{filed['id']}/timeline")).json()["data"]
    assert [one["type"] for one in timeline] == ["request.received", "request.cancelled"]
    assert timeline[1]["actor"].startswith("cli_")


async def test_a_request_without_stuck_tasks_has_nothing_to_retry(caller: httpx.AsyncClient) -> None:
    filed = (await caller.post("/v1/requests", json=REQUEST, headers={"idempotency-key": "k"})).json()
    answer = await caller.post(f"/v1/requests/{filed['id']}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_retry")


async def test_dead_letters_are_listed_in_pages_without_their_content(api: Api, caller: httpx.AsyncClient) -> None:
    numbers = await add_letters(api, 7, 8, 9)
    seen = []
    query = "service=orchestrator&limit=2"
    page = (await caller.get(f"/v1/dead-letters?{query}")).json()
    seen += page["data"]
    page = (await caller.get(f"/v1/dead-letters?{query}&cursor={page['next_cursor']}")).json()
    seen += page["data"]
    assert page["next_cursor"] is None
    letters = [DeadLetterOut.model_validate(one) for one in seen]
    assert [one.id for one in letters] == numbers[::-1]
    assert (letters[0].service, letters[0].reason, letters[0].offset) == ("orchestrator", "malformed_body", 9)
    assert "broken" not in str(seen)


async def test_a_dead_letter_is_redriven_once_as_it_came(api: Api, caller: httpx.AsyncClient) -> None:
    (number,) = await add_letters(api, 7)
    path = f"/v1/dead-letters/orchestrator/{number}"
    assert (await caller.get(path)).json()["state"] == "dead"
    answer = await caller.post(f"{path}/redrive")
    assert (answer.status_code, answer.json()["state"]) == (200, "redriven")
    assert answer.json()["dealt_by"].startswith("cli_")
    (sent,) = await api.rows("SELECT topic, key, headers, value FROM outbox")
    assert (sent["topic"], sent["key"], sent["value"]) == ("habeas.reports.v1", "req_1", b'{"broken": true}')
    assert "evt_1" in sent["headers"]
    again = await caller.post(f"{path}/redrive")
    assert (again.status_code, again.json()["code"]) == (409, "dead_letter_not_redrivable")
    assert await api.count("outbox") == 1


async def test_a_dead_letter_is_discarded_with_a_reason(api: Api, caller: httpx.AsyncClient) -> None:
    (number,) = await add_letters(api, 7)
    path = f"/v1/dead-letters/orchestrator/{number}/discard"
    assert (await caller.post(path, json={})).status_code == 422
    letter = DeadLetterOut.model_validate((await caller.post(path, json=REASON)).json())
    assert (letter.state, letter.dealt_reason) == ("discarded", REASON["reason"])
    assert letter.dealt_by is not None
    assert letter.dealt_by.startswith("cli_")
    assert letter.dealt_at is not None
    again = await caller.post(path, json=REASON)
    assert (again.status_code, again.json()["code"]) == (409, "dead_letter_dealt_with")


@pytest.mark.parametrize("letter", ["0", "-1", "1e3", "9" * 19, "9" * 40, "\u0661"])
async def test_a_dead_letter_that_is_not_there(caller: httpx.AsyncClient, letter: str) -> None:
    answer = await caller.get(f"/v1/dead-letters/orchestrator/{letter}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_what_another_service_keeps_says_where_to_go(caller: httpx.AsyncClient) -> None:
    for method, path, body in (
        ("GET", "/v1/dead-letters?service=connectors", None),
        ("GET", "/v1/dead-letters/notifier/1", None),
        ("POST", "/v1/dead-letters/connectors/1/redrive", None),
        ("POST", "/v1/dead-letters/connectors/1/discard", REASON),
        ("POST", "/v1/consumers/connectors/tasks/resume", None),
    ):
        answer = await caller.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "other_service"), path
        assert "python -m services." in answer.json()["detail"]
    answer = await caller.post("/v1/consumers/billing/tasks/resume")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_halted_consumer_is_shown_and_resumed(api: Api, caller: httpx.AsyncClient) -> None:
    await api.execute(
        "INSERT INTO consumers (name, failures, halted_at, halted_reason) VALUES ('reports', 20, now(), 'poison')"
    )
    (shown,) = (await caller.get("/v1/consumers")).json()["data"]
    assert ConsumerOut.model_validate(shown).halted
    answer = await caller.post("/v1/consumers/orchestrator/reports/resume")
    assert answer.status_code == 200, answer.text
    assert not ConsumerOut.model_validate(answer.json()).halted
    assert (await caller.post("/v1/consumers/orchestrator/nobody/resume")).status_code == 404
