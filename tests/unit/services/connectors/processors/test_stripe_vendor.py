"""Stripe's client against answers that the sandbox never gives."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import httpx
import pytest

from habeas.sdk import CannotFulfil, CredentialsRejected, Http, RetryLater
from services.connectors.processors.stripe.shapes import Thing
from services.connectors.processors.stripe.vendor import (
    Api,
    RefusedError,
    UnexpectedAnswerError,
    equals,
    path_of,
    together,
)

KEY = UUID(int=1)
Answering = Callable[[httpx.Request], httpx.Response]


def api(answer: Answering) -> Api:
    http = Http(base_url="http://billing.invalid", transport=httpx.MockTransport(answer))
    return Api(http, key="k", version="2026-10-28.endive")


def always(status: int, body: object, **headers: str) -> Answering:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: httpx.Response(status, json=body, headers=named)


def fault(kind: str, code: str | None = None) -> dict[str, object]:
    return {"error": {"type": kind, "code": code, "message": "a@example.com is wrong"}}


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"data": "none"},
        {"data": [{"id": "../charges/1"}]},
        {"data": [{"id": None}]},
        {"data": [{"email": "a@example.com"}]},
        {"data": [1]},
        {"data": [], "has_more": "no"},
        {"data": [], "next_page": 2},
    ],
)
async def test_an_answer_out_of_shape_is_no_answer(body: object) -> None:
    with pytest.raises(RetryLater, match="unreadable_answer"):
        [one async for one in api(always(200, body)).every("/v1/charges")]


@pytest.mark.parametrize("data", [[], [{"id": "ch_1"}]])
async def test_a_list_that_stands_still_is_not_read_for_ever(data: list[dict[str, str]]) -> None:
    with pytest.raises(RetryLater, match="cursor_stands_still"):
        [one async for one in api(always(200, {"data": data, "has_more": True})).every("/v1/charges")]


async def test_a_search_that_stands_still_is_not_read_for_ever() -> None:
    body = {"data": [{"id": "cus_1"}], "has_more": True, "next_page": "2"}
    with pytest.raises(RetryLater, match="cursor_stands_still"):
        await api(always(200, body)).search_customers(equals("email", "a@example.com"))


async def test_pages_begin_behind_the_last_of_the_page_before() -> None:
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("starting_after"))
        first = asked == [None]
        return httpx.Response(200, json={"data": [{"id": "ch_2" if first else "ch_1"}], "has_more": first})

    found = [one.id async for one in api(answer).every("/v1/charges")]
    assert (found, asked) == (["ch_2", "ch_1"], [None, "ch_2"])


@pytest.mark.parametrize(
    ("status", "body", "headers", "reason", "after"),
    [
        (429, fault("invalid_request_error", "rate_limit"), {"retry_after": "7"}, "rate_limit", 7.0),
        (429, fault("invalid_request_error", "lock_timeout"), {}, "lock_timeout", 1.0),
        (409, fault("idempotency_error", "idempotency_key_in_use"), {}, "idempotency_key_in_use", 1.0),
        (400, fault("api_error"), {"stripe_should_retry": "true"}, "http_400", None),
        (500, fault("api_error"), {}, "http_500", None),
    ],
)
async def test_what_passes_is_tried_again(
    status: int, body: object, headers: dict[str, str], reason: str, after: float | None
) -> None:
    with pytest.raises(RetryLater) as caught:
        await api(always(status, body, **headers)).post("/v1/customers/cus_1", [("name", "x")], KEY)
    assert (caught.value.reason, caught.value.after) == (reason, after)


async def test_errors_are_told_by_what_happens_next_and_quote_nobody() -> None:
    with pytest.raises(CredentialsRejected, match="missing_permission"):
        await api(always(403, fault("invalid_request_error"))).delete("/v1/customers/cus_1", KEY)
    with pytest.raises(CannotFulfil, match="card_error"):
        await api(always(402, fault("card_error", "card_declined"))).post("/v1/customers/cus_1", (), KEY)
    with pytest.raises(RefusedError, match="email_invalid"):
        await api(always(400, fault("invalid_request_error", "email_invalid"))).post("/v1/customers/cus_1", (), KEY)
    for kind in ("idempotency_error", "invalid_request_error"):
        with pytest.raises(UnexpectedAnswerError, match=kind) as caught:
            await api(always(400, fault(kind))).post("/v1/customers/cus_1", (), KEY)
        assert "example.com" not in str(caught.value)
    assert not await api(always(404, fault("invalid_request_error", "resource_missing"))).delete("/v1/customers/c", KEY)


async def test_an_unknown_url_is_not_taken_for_an_object_that_is_gone() -> None:
    with pytest.raises(UnexpectedAnswerError):
        await api(always(404, fault("invalid_request_error"))).get("/v1/nothing")


async def test_every_post_is_a_form_with_its_key_and_version() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"id": "prj_1"})

    form = [("objects[customers][]", "cus_1"), ("objects[customers][]", "cus_2")]
    await api(answer).post("/v1/jobs", form, KEY)
    assert seen[0].content == b"objects%5Bcustomers%5D%5B%5D=cus_1&objects%5Bcustomers%5D%5B%5D=cus_2"
    headers = seen[0].headers
    assert headers["idempotency-key"] == str(KEY)
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["stripe-version"] == "2026-10-28.endive"


def test_quotes_and_slashes_of_a_value_reach_nothing_else() -> None:
    assert equals("email", 'a" OR email:"b\\') == 'email:"a\\" OR email:\\"b\\\\"'
    assert path_of("customers", "a?b#c") == "/v1/customers/a%3Fb%23c"


@pytest.mark.parametrize(
    "body",
    [
        {"id": "in_1", "redaction": {"status": "redacted"}},
        {"id": "in_1", "customer_email": "[redacted]"},
        {"id": "cus_1", "name": "[redacted]", "email": None},
        {"id": "ch_1", "billing_details": {"email": "[redacted]"}},
    ],
)
def test_what_was_redacted_is_seen_in_every_version(body: dict[str, object]) -> None:
    thing = Thing.model_validate(body)
    assert thing.redacted
    assert thing.emails() == []


def test_an_invoice_is_dated_by_the_day_on_which_it_became_one() -> None:
    body = {"id": "in_1", "created": 1_700_000_000, "status_transitions": {"finalized_at": 1_704_067_200}}
    assert str(Thing.model_validate(body).dated) == "2024-01-01"
    assert str(Thing.model_validate({"id": "ch_1", "created": 1_700_000_000}).dated) == "2023-11-14"


async def test_of_several_reads_none_outlives_one_that_failed() -> None:
    ended: list[str] = []

    async def slow() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("slow")
        return 1

    async def failing() -> int:
        await asyncio.sleep(0)
        raise RetryLater("busy")

    with pytest.raises(RetryLater):
        await together(slow(), failing())
    assert ended == ["slow"]
