"""The blocking client: what it sends, what it returns, what it repeats."""

from datetime import date

import httpx
import pytest

from habeas.client import (
    Habeas,
    HabeasProblem,
    Identity,
    NewRequest,
    NotSendable,
    NotSettledInTime,
    Unreachable,
    UnreadableAnswer,
)
from habeas.vocabulary import RequestState
from tests.unit.habeas.client.conftest import Script, a_request, problem

PERSON = NewRequest("erasure", {"email": "jane@example.com"}, contact="jane@example.com", language="nl")


def test_files_in_the_form_of_the_api(habeas: Habeas, script: Script) -> None:
    script.then(httpx.Response(201, json=a_request()))
    request = habeas.requests.file(PERSON, idempotency_key="ticket-42")
    sent = script.sent[0]
    assert request.id == "req_1"
    assert request.state is RequestState.RECEIVED
    assert request.due_on == date(2026, 2, 28)
    assert (sent.method, str(sent.url)) == ("POST", "http://habeas.test/v1/requests")
    assert sent.headers["authorization"] == "Bearer hab_k"
    assert sent.headers["idempotency-key"] == '"ticket-42"'
    assert script.body() == {
        "right": "erasure",
        "subject": {
            "identities": [{"type": "email", "value": "jane@example.com"}],
            "contact": {"email": "jane@example.com"},
            "language": "nl",
        },
        "requester": {"relation": "self"},
        "identity_check": {"method": "client_asserted"},
    }


def test_several_identities_of_one_type(habeas: Habeas, script: Script) -> None:
    script.then(a_request())
    habeas.requests.file(NewRequest("access", [Identity("email", "a@x.eu"), Identity("email", "b@x.eu")]))
    assert [identity["value"] for identity in script.body()["subject"]["identities"]] == ["a@x.eu", "b@x.eu"]


def test_the_idempotency_key_is_kept_over_retries_and_fresh_per_call(habeas: Habeas, script: Script) -> None:
    script.then(problem(503, "busy"), httpx.ConnectError("refused"), a_request(), a_request())
    habeas.requests.file(PERSON)
    habeas.requests.file(PERSON)
    keys = [request.headers["idempotency-key"] for request in script.sent]
    assert keys[0] == keys[1] == keys[2] != keys[3]


def test_waits_as_long_as_the_server_asks(habeas: Habeas, script: Script) -> None:
    script.then(httpx.Response(429, headers={"retry-after": "7"}), a_request())
    habeas.requests.get("req_1")
    assert script.pauses == [7.0]


def test_gives_up_when_the_server_asks_for_too_much_patience(habeas: Habeas, script: Script) -> None:
    script.then(httpx.Response(429, headers={"retry-after": "3600"}))
    with pytest.raises(HabeasProblem) as caught:
        habeas.requests.get("req_1")
    assert caught.value.status == 429
    assert script.pauses == []


def test_backs_off_and_gives_up(habeas: Habeas, script: Script) -> None:
    script.then(*[httpx.ReadTimeout("slow")] * 5)
    with pytest.raises(Unreachable, match=r"no answer from http://habeas.test \(ReadTimeout\)"):
        habeas.requests.get("req_1")
    assert len(script.sent) == 5
    assert [0.1 * 2**n <= pause <= 0.2 * 2**n for n, pause in enumerate(script.pauses)] == [True] * 4


def test_a_retryable_problem_is_retried(habeas: Habeas, script: Script) -> None:
    script.then(problem(409, "in_flight", retryable=True), a_request())
    assert habeas.requests.file(PERSON).id == "req_1"


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("slow"), httpx.Response(503)])
def test_what_is_not_idempotent_is_sent_once(habeas: Habeas, script: Script, answer: httpx.Response) -> None:
    script.then(answer)
    with pytest.raises((Unreachable, HabeasProblem)):
        habeas.tasks.retry("tsk_1")
    assert len(script.sent) == 1


def test_problems_are_raised_whole(habeas: Habeas, script: Script) -> None:
    errors = [{"pointer": "/subject/identities/0/type", "detail": "not a type"}]
    script.then(problem(422, "invalid_body", errors=errors))
    with pytest.raises(HabeasProblem, match=r"it is invalid_body \(invalid_body\)") as caught:
        habeas.requests.file(PERSON)
    error = caught.value
    assert (error.status, error.code, error.retryable, error.request_id) == (422, "invalid_body", False, "rid-7")
    assert [(field.pointer, field.detail) for field in error.errors] == [("/subject/identities/0/type", "not a type")]


def test_an_error_that_is_no_problem_document(habeas: Habeas, script: Script) -> None:
    script.then(httpx.Response(404, text="<html>"))
    with pytest.raises(HabeasProblem, match="answered 404 without saying why") as caught:
        habeas.requests.get("req_1")
    assert caught.value.code == "unexpected_answer"


def test_an_answer_that_can_not_be_read_shows_nothing_of_itself(habeas: Habeas, script: Script) -> None:
    script.then({"reference": "TICKET-42"})
    with pytest.raises(UnreadableAnswer, match=r"the answer to GET /v1/requests/req_1 is not a Request$"):
        habeas.requests.get("req_1")


def test_words_and_fields_of_a_newer_server_are_tolerated(habeas: Habeas, script: Script) -> None:
    script.then(a_request(state="pondering", mood="calm"))
    request = habeas.requests.get("req_1")
    assert request.state == "pondering"
    assert not request.is_settled


def test_lists_go_on_to_the_last_page(habeas: Habeas, script: Script) -> None:
    script.then(
        {"data": [a_request(id="req_1")], "next_cursor": "c&2"},
        {"data": [a_request(id="req_2")], "next_cursor": None},
    )
    found = habeas.requests.list(attention=True, due_before=date(2026, 3, 1), limit=1)
    assert [request.id for request in found] == ["req_1", "req_2"]
    assert dict(script.sent[0].url.params) == {"attention": "true", "due_before": "2026-03-01", "limit": "1"}
    assert dict(script.sent[1].url.params)["cursor"] == "c&2"


def test_a_batch_tells_each_apart(habeas: Habeas, script: Script) -> None:
    refused = {"code": "invalid_body", "detail": "no", "status": 422}
    script.then(
        {
            "results": [
                {"index": 0, "status": 201, "request": a_request()},
                {"index": 1, "status": 422, "problem": refused},
            ]
        }
    )
    first, second = habeas.requests.file_many([PERSON, {"right": "nonsense"}]).results
    assert first.request
    assert first.error is None
    assert second.error
    assert second.error.code == "invalid_body"
    assert script.body()["requests"][1] == {"right": "nonsense"}


def test_waits_until_settled_ever_less_often(habeas: Habeas, script: Script) -> None:
    script.then(*[a_request(state="in_progress")] * 3, a_request(state="completed"))
    assert habeas.wait_until_settled("req_1").state is RequestState.COMPLETED
    assert script.pauses == pytest.approx([0.05, 0.075, 0.1125])


def test_a_server_that_is_away_for_a_while_does_not_end_the_wait(habeas: Habeas, script: Script) -> None:
    script.then(*[httpx.ConnectError("refused")] * 7, problem(503, "unavailable"), a_request(state="completed"))
    assert habeas.wait_until_settled("req_1").is_settled


def test_a_server_that_stays_away_is_what_is_raised(habeas: Habeas, script: Script) -> None:
    script.then(*[httpx.ConnectError("refused")] * 5)
    with pytest.raises(Unreachable):
        habeas.wait_until_settled("req_1", timeout=0)


def test_waiting_for_what_is_not_there_ends_at_once(habeas: Habeas, script: Script) -> None:
    script.then(problem(404, "not_found"))
    with pytest.raises(HabeasProblem):
        habeas.wait_until_settled("req_1")


def test_waiting_ends_with_where_it_stands(habeas: Habeas, script: Script) -> None:
    stuck = a_request(state="in_progress", attention={"reason": "silent", "since": "2026-01-31T10:00:00Z"})
    script.then(*[stuck] * 3)
    with pytest.raises(NotSettledInTime, match=r"still in_progress after 0.1 s, and needs a person \(silent\)"):
        habeas.wait_until_settled("req_1", timeout=0.1)
    assert sum(script.pauses) == pytest.approx(0.1)


@pytest.mark.parametrize("odd", ["", ".", ".."])
def test_an_id_can_not_lead_elsewhere(habeas: Habeas, odd: str) -> None:
    with pytest.raises(NotSendable):
        habeas.requests.get(odd)


def test_ids_are_escaped(habeas: Habeas, script: Script) -> None:
    script.then(a_request())
    habeas.requests.get("a/../b?c")
    assert script.sent[0].url.raw_path == b"/v1/requests/a%2F..%2Fb%3Fc"


@pytest.mark.parametrize("key", ["", "é", "a b", "a\nb", 'a"b', "a\\b", "x" * 251])
def test_an_idempotency_key_must_fit_a_header(habeas: Habeas, key: str) -> None:
    with pytest.raises(NotSendable):
        habeas.requests.file(PERSON, idempotency_key=key)


def test_a_proxy_of_the_environment_is_not_asked_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    seen: list[str] = []

    def answer(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        seen.append(type(transport._pool).__name__)
        return httpx.Response(200, json=a_request())

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answer)
    Habeas("http://127.0.0.1:8080", key="hab_k").requests.get("req_1")
    Habeas("http://habeas.test", key="hab_k").requests.get("req_1")
    assert seen == ["ConnectionPool", "HTTPProxy"]


def test_nothing_shows_a_person_or_a_key(habeas: Habeas, script: Script) -> None:
    script.then(a_request(reference="TICKET-42"))
    shown = repr((habeas, PERSON, Identity("email", "jane@example.com"), habeas.requests.file(PERSON)))
    for secret in ("jane", "hab_k", "TICKET-42"):
        assert secret not in shown
