"""What OpenAI can be made to do to its callers."""

from typing import Any

import httpx
import pytest

from tests.integration.services.sandbox.conftest import Running, until
from tests.plain import HTTP

AUTHORIZED = {"Authorization": "Bearer sandbox-openai-token"}


def ask(sandbox: Running, path: str = "/files", method: str = "GET", timeout: float = 20) -> httpx.Response:
    url = f"{sandbox.url}/openai/v1{path}"
    return HTTP.request(method, url, headers=AUTHORIZED, timeout=timeout)


def somebody(sandbox: Running) -> dict[str, Any]:
    return sandbox.people(1)[0]


def test_throttling_names_seconds_milliseconds_and_when_the_limit_is_reset(sandbox: Running) -> None:
    sandbox.turn("openai", rate_limit={"rate": 1, "seconds": 7}, retry_after_ms=6_500)
    answer = ask(sandbox)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert (answer.headers["retry-after"], answer.headers["retry-after-ms"]) == ("7", "6500")
    assert answer.headers["x-ratelimit-remaining-requests"] == "0"
    assert answer.headers["x-ratelimit-reset-requests"] == "7s"
    sandbox.turn("openai", rate_limit={"rate": 1, "retry_after": "none"})
    assert not {"retry-after", "retry-after-ms"} & set(ask(sandbox).headers)


def test_a_spent_quota_looks_like_throttling_and_names_no_wait(sandbox: Running) -> None:
    sandbox.turn("openai", quota=1)
    answer = ask(sandbox)
    assert (answer.status_code, answer.json()["error"]["type"]) == (429, "insufficient_quota")
    assert "retry-after" not in answer.headers


def test_calls_that_pass_say_how_many_are_left(sandbox: Running) -> None:
    left = [int(ask(sandbox).headers["x-ratelimit-remaining-requests"]) for _ in range(2)]
    assert left[0] != left[1]
    assert ask(sandbox).headers["openai-organization"] == "org-sandbox"


def test_failures_are_json_and_then_pages_of_a_proxy(sandbox: Running) -> None:
    sandbox.turn("openai", fail_5xx=1)
    answers = [ask(sandbox) for _ in range(3)]
    assert {one.status_code for one in answers} == {500, 502, 503}
    kinds = {one.headers["content-type"].split(";")[0] for one in answers}
    assert kinds == {"application/json", "text/html"}


@pytest.mark.parametrize(("knob", "error"), [("drop_reply", httpx.TransportError), ("hang_after", httpx.ReadTimeout)])
def test_a_reply_is_lost_after_its_effect(sandbox: Running, knob: str, error: type[Exception]) -> None:
    response = somebody(sandbox)["openai"]["response"][0]
    sandbox.turn("openai", **{knob: 1}, only="DELETE")
    with pytest.raises(error):
        ask(sandbox, f"/responses/{response}", "DELETE", timeout=1.0)
    until(lambda: [one["changed"] for one in sandbox.effects("openai")] == [True])
    assert ask(sandbox, f"/responses/{response}").status_code == 404


def test_silence_before_the_effect_leaves_everything(sandbox: Running) -> None:
    one = somebody(sandbox)
    before = sandbox.remains(one["customer_id"])
    sandbox.turn("openai", hang=1)
    with pytest.raises(httpx.ReadTimeout):
        ask(sandbox, f"/responses/{one['openai']['response'][0]}", "DELETE", timeout=0.5)
    assert sandbox.remains(one["customer_id"]) == before
    assert sandbox.effects("openai") == []


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("file", "/files"),
        ("vector_store", "/vector_stores"),
        ("chat.completion", "/chat/completions"),
        ("conversation", "/conversations"),
        ("response", "/responses"),
    ],
)
def test_a_lie_says_done_and_leaves_everything(sandbox: Running, kind: str, path: str) -> None:
    one = somebody(sandbox)
    before = sandbox.remains(one["customer_id"])
    sandbox.turn("openai", lie=True)
    assert ask(sandbox, f"{path}/{one['openai'][kind][0]}", "DELETE").status_code == 200
    assert sandbox.remains(one["customer_id"]) == before
    assert [line["changed"] for line in sandbox.effects("openai")] == [False]


def test_times_ends_the_trouble_and_latency_delays(sandbox: Running) -> None:
    sandbox.turn("openai", fail_5xx=1, times=2)
    assert [ask(sandbox).status_code < 500 for _ in range(4)] == [False, False, True, True]
    sandbox.turn("openai", latency=0.2)
    assert ask(sandbox).elapsed.total_seconds() >= 0.2


def test_pages_can_be_capped(sandbox: Running) -> None:
    sandbox.people()
    sandbox.turn("openai", page_cap=2)
    page = ask(sandbox, "/vector_stores?limit=100").json()
    assert (len(page["data"]), page["has_more"]) == (2, True)
