"""What holds for every call of Stripe: forms, versions, idempotency keys, errors, and what the knobs do."""

import httpx
import pytest

from tests.integration.services.sandbox.conftest import Running
from tests.integration.services.sandbox.stripe_calls import KEY, call, jobs, payer
from tests.plain import HTTP


def test_a_key_answers_again_what_it_answered_first(sandbox: Running) -> None:
    path = f"/v1/customers/{payer(sandbox, '')['customers'][0]}"
    first = call(sandbox, "POST", path, {"name": "Anna"}, idempotency_key="k-1")
    call(sandbox, "POST", path, {"name": "Bram"}, idempotency_key="k-2")
    again = call(sandbox, "POST", path, {"name": "Anna"}, idempotency_key="k-1")
    assert again.json() == first.json()
    assert (again.headers["idempotent-replayed"], "idempotent-replayed" in first.headers) == ("true", False)
    assert call(sandbox, "GET", path).json()["name"] == "Bram"
    assert len(sandbox.effects("stripe")) == 2


def test_a_key_with_another_body_is_refused(sandbox: Running) -> None:
    path = f"/v1/customers/{payer(sandbox, '')['customers'][0]}"
    call(sandbox, "POST", path, {"name": "Anna"}, idempotency_key="k-1")
    answer = call(sandbox, "POST", path, {"name": "Bram"}, idempotency_key="k-1")
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "idempotency_error")
    assert call(sandbox, "GET", path).json()["name"] == "Anna"


def test_what_failed_validation_leaves_its_key_free(sandbox: Running) -> None:
    path = f"/v1/customers/{payer(sandbox, '')['customers'][0]}"
    assert call(sandbox, "POST", path, {"email": "x"}, idempotency_key="k-1").status_code == 400
    assert call(sandbox, "POST", path, {"email": "x@example.com"}, idempotency_key="k-1").status_code == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"name", "application/x-www-form-urlencoded"),
        (b"metadata[a=1", "application/x-www-form-urlencoded"),
        (b"name=%FF\xff", "application/x-www-form-urlencoded"),
        (b'{"name": "x"}', "application/json"),
        (b"colour=red", "application/x-www-form-urlencoded"),
        (b"name[a]=x", "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_is_no_form_of_ours_is_refused(sandbox: Running, body: bytes, kind: str) -> None:
    url = f"{sandbox.url}/stripe/v1/customers/{payer(sandbox, '')['customers'][0]}"
    headers = {"authorization": f"Bearer {KEY}", "content-type": kind}
    answer = HTTP.post(url, content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


def test_errors_have_the_vendors_shape(sandbox: Running) -> None:
    answer = call(sandbox, "GET", "/v1/charges/ch_x")
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"], error["param"]) == (
        404,
        "invalid_request_error",
        "resource_missing",
        "id",
    )
    assert error["doc_url"].endswith("resource-missing")
    assert call(sandbox, "GET", "/v1/charges?customer=cus_x").status_code == 400
    assert call(sandbox, "GET", "/v1/charges", stripe_version="yesterday").status_code == 400
    assert call(sandbox, "GET", "/v1/nothing").status_code == 404


def test_throttling_speaks_the_vendors_words(sandbox: Running) -> None:
    sandbox.turn("stripe", rate_limit={"rate": 1, "seconds": 7})
    answer = call(sandbox, "GET", "/v1/customers")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit")
    assert (answer.headers["retry-after"], answer.headers["stripe-should-retry"]) == ("7", "true")
    sandbox.turn("stripe", rate_limit={"rate": 1, "retry_after": "none"})
    assert "retry-after" not in call(sandbox, "GET", "/v1/customers").headers


def test_failures_are_json_and_then_pages_of_a_proxy(sandbox: Running) -> None:
    sandbox.turn("stripe", fail_5xx=1)
    answers = [call(sandbox, "GET", "/v1/customers") for _ in range(3)]
    assert {one.status_code for one in answers} == {500, 502, 503}
    assert {one.headers["content-type"].split(";")[0] for one in answers} == {"application/json", "text/html"}


def test_a_lost_reply_leaves_its_effect_and_a_key_finds_it_again(sandbox: Running) -> None:
    path = f"/v1/customers/{payer(sandbox, '')['customers'][0]}"
    sandbox.turn("stripe", drop_reply=1, only="POST", times=1)
    with pytest.raises(httpx.TransportError):
        call(sandbox, "POST", path, {"name": "Anna"}, idempotency_key="k-1")
    assert call(sandbox, "POST", path, {"name": "Anna"}, idempotency_key="k-1").headers["idempotent-replayed"] == "true"
    assert [one["changed"] for one in sandbox.effects("stripe")] == [True]


def test_a_lie_says_done_and_changes_nothing(sandbox: Running) -> None:
    person = payer(sandbox, "")
    path = f"/v1/customers/{person['customers'][0]}"
    before = sandbox.remains(person["customer_id"])
    sandbox.turn("stripe", lie=1)
    assert call(sandbox, "DELETE", path).json()["deleted"] is True
    assert call(sandbox, "POST", path, {"name": "Anna"}).json()["name"] == "Anna"
    assert call(sandbox, "GET", path).json()["name"] == person["name"]
    assert sandbox.remains(person["customer_id"]) == before
    assert {one["changed"] for one in sandbox.effects("stripe")} == {False}


def test_a_page_may_be_shorter_than_asked(sandbox: Running) -> None:
    payer(sandbox, "two customers under one address")
    sandbox.turn("stripe", page_cap=1)
    answer = call(sandbox, "GET", "/v1/customers?limit=100").json()
    assert (len(answer["data"]), answer["has_more"]) == (1, True)
    assert jobs(sandbox, "GET")["data"] == []


def test_nobody_pays_in_a_way_that_is_unknown(sandbox: Running) -> None:
    assert sandbox.control.post("/people", json={"count": 1, "payer": "in gold"}).status_code == 422
