"""What HubSpot can be made to do to its callers."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.integration.services.sandbox.conftest import CONTACTS, Running, until


def test_throttling_speaks_the_vendors_words(sandbox: Running) -> None:
    sandbox.turn("hubspot", rate_limit={"rate": 1, "policy": "DAILY", "seconds": 7})
    answer = sandbox.hubspot.get(CONTACTS)
    assert answer.status_code == 429
    body = answer.json()
    assert (body["status"], body["errorType"], body["policyName"]) == ("error", "RATE_LIMIT", "DAILY")
    assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize(("form", "low", "high"), [("absurd", 10**8, 10**9), ("negative", -5, -1), ("seconds", 1, 1)])
def test_retry_after_takes_odd_forms(sandbox: Running, form: str, low: int, high: int) -> None:
    sandbox.turn("hubspot", rate_limit={"rate": 1, "retry_after": form})
    assert low <= int(sandbox.hubspot.get(CONTACTS).headers["retry-after"]) <= high


def test_retry_after_may_be_a_date_or_missing(sandbox: Running) -> None:
    sandbox.turn("hubspot", rate_limit={"rate": 1, "retry_after": "date", "seconds": 60})
    when = parsedate_to_datetime(sandbox.hubspot.get(CONTACTS).headers["retry-after"])
    assert 0 < (when - datetime.now(UTC)).total_seconds() <= 60
    sandbox.turn("hubspot", rate_limit={"rate": 1, "retry_after": "none"})
    assert "retry-after" not in sandbox.hubspot.get(CONTACTS).headers


def test_a_real_limit_counts_calls_and_says_how_many_are_left(sandbox: Running) -> None:
    sandbox.turn("hubspot", ten_secondly=500)
    first, second = (int(sandbox.hubspot.get(CONTACTS).headers["x-hubspot-ratelimit-remaining"]) for _ in range(2))
    assert first == second + 1
    sandbox.turn("hubspot", ten_secondly=1)
    answer = sandbox.hubspot.get(CONTACTS)
    assert (answer.status_code, answer.json()["policyName"]) == (429, "TEN_SECONDLY_ROLLING")


def test_failures_are_json_and_then_pages_of_a_proxy(sandbox: Running) -> None:
    sandbox.turn("hubspot", fail_5xx=1)
    answers = [sandbox.hubspot.get(CONTACTS) for _ in range(3)]
    assert {one.status_code for one in answers} == {500, 502, 503}
    kinds = {one.headers["content-type"].split(";")[0] for one in answers}
    assert kinds == {"application/json", "text/html"}


def test_a_lost_reply_leaves_its_effect(sandbox: Running) -> None:
    person = sandbox.people(1)[0]
    sandbox.turn("hubspot", drop_reply=1, only="gdpr-delete")
    with pytest.raises(httpx.TransportError):
        sandbox.hubspot.post(f"{CONTACTS}/gdpr-delete", json={"objectId": person["contact_ids"][0]})
    assert sandbox.remains(person["customer_id"])["hubspot"] == 0
    assert sandbox.effects("hubspot")[0]["changed"] is True
    assert sandbox.hubspot.get(CONTACTS).status_code == 200


@pytest.mark.parametrize(("knob", "left"), [("hang", 3), ("hang_after", 0)])
def test_silence_comes_without_or_with_the_effect(sandbox: Running, knob: str, left: int) -> None:
    person = sandbox.people(1)[0]
    sandbox.turn("hubspot", **{knob: 1})
    with pytest.raises(httpx.ReadTimeout):
        sandbox.hubspot.post(f"{CONTACTS}/gdpr-delete", json={"objectId": person["contact_ids"][0]}, timeout=0.5)
    until(lambda: len(sandbox.effects("hubspot")) == (left == 0))
    assert sandbox.remains(person["customer_id"])["hubspot"] == left


def test_times_ends_the_trouble(sandbox: Running) -> None:
    sandbox.turn("hubspot", fail_5xx=1, times=2)
    assert [sandbox.hubspot.get(CONTACTS).status_code < 500 for _ in range(4)] == [False, False, True, True]


def test_latency_delays_every_reply(sandbox: Running) -> None:
    sandbox.turn("hubspot", latency=0.2)
    assert sandbox.hubspot.get(CONTACTS).elapsed.total_seconds() >= 0.2


def test_the_same_seed_throws_the_same_dice(sandbox: Running) -> None:
    def luck() -> list[bool]:
        sandbox.turn("hubspot", rate_limit=0.5, seed=7)
        return [sandbox.hubspot.get(CONTACTS).status_code == 429 for _ in range(20)]

    first = luck()
    assert luck() == first
    assert set(first) == {True, False}
