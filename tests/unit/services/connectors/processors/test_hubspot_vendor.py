"""HubSpot's client against answers that the sandbox never gives."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from habeas.sdk import CredentialsRejected, Http, RetryLater
from services.connectors.processors.hubspot.vendor import Crm, UnexpectedAnswerError

NOW = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
GROUP = [[{"propertyName": "email", "operator": "EQ", "value": "a@example.com"}]]


def crm(answer: Callable[[httpx.Request], httpx.Response], *, zone: str = "UTC") -> Crm:
    http = Http(base_url="http://crm.invalid", transport=httpx.MockTransport(answer))
    return Crm(
        http,
        token="t",
        objects_root="/crm/v3/objects",
        associations_root="/crm/v4/objects",
        properties_root="/crm/v3/properties",
        time_zone=zone,
        now=lambda: NOW,
    )


def always(status: int, body: object) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(status, json=body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"results": "none"},
        {"results": [{"id": "../companies/1"}]},
        {"results": [{"id": "1?archived=true"}]},
        {"results": [{"id": None}]},
    ],
)
async def test_an_answer_out_of_shape_is_no_answer(body: object) -> None:
    with pytest.raises(RetryLater, match="unreadable_answer"):
        await crm(always(200, body)).search(GROUP)


async def test_a_cursor_that_stands_still_is_not_followed_for_ever() -> None:
    body = {"results": [], "paging": {"next": {"after": "200"}}}
    with pytest.raises(RetryLater, match="cursor_stands_still"):
        await crm(always(200, body)).search(GROUP)


async def test_a_search_takes_five_groups_at_a_time_and_each_result_once() -> None:
    sizes: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sizes.append(request.read().count(b'"filters"'))
        return httpx.Response(200, json={"results": [{"id": "1"}, {"id": 2}]})

    assert await crm(answer).search(GROUP * 7) == ["1", "2"]
    assert sizes == [5, 2]


async def test_a_missing_scope_parks_and_a_bad_request_is_our_defect() -> None:
    with pytest.raises(CredentialsRejected, match="missing_scope"):
        await crm(always(403, {"category": "MISSING_SCOPES"})).purge("1")
    with pytest.raises(UnexpectedAnswerError):
        await crm(always(400, {"message": "a@example.com is wrong"})).search(GROUP)


async def test_an_address_never_stands_in_a_path() -> None:
    paths: list[bytes] = []
    address = "../../x?y=1#z@example.com"

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(207, json={"results": [], "errors": [gone(address)]})

    assert await crm(answer).contact_of(address) is None
    assert set(paths) == {b"/crm/v3/objects/contacts/batch/read", b"/crm/v3/objects/contacts/batch/read?archived=true"}


def gone(*ids: str) -> dict[str, object]:
    return {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "gone", "context": {"ids": list(ids)}}


def thing(number: str) -> dict[str, object]:
    return {"id": number, "properties": {"hs_note_body": "x", "hubspot_owner_id": None}}


async def test_what_a_batch_read_says_does_not_exist_is_left_out() -> None:
    body = {"results": [thing("1")], "numErrors": 1, "errors": [gone("2")]}
    found = await crm(always(207, body)).things("notes", ["1", "2"], ["hs_note_body"])
    assert [one.id for one in found] == ["1"]


@pytest.mark.parametrize("errors", [[], [{"category": "RATE_LIMITS", "context": {"ids": ["2"]}}]])
async def test_what_a_batch_read_does_not_explain_is_not_taken_for_gone(errors: object) -> None:
    with pytest.raises(RetryLater, match="partial_answer"):
        await crm(always(207, {"results": [thing("1")], "errors": errors})).things("notes", ["1", "2"], ["x"])


async def test_a_batch_whose_answer_is_too_large_is_read_in_halves() -> None:
    sizes: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked = [str(one["id"]) for one in json.loads(request.content)["inputs"]]
        sizes.append(len(asked))
        long = "x" * (17 << 20) if len(asked) > 25 else "x"
        results = [{"id": one, "properties": {"hs_email_text": long if one == asked[0] else "x"}} for one in asked]
        return httpx.Response(200, json={"results": results})

    found = await crm(answer).things("emails", [str(number) for number in range(100)], ["hs_email_text"])
    assert len(found) == 100
    assert sizes == [100, 50, 25, 25, 50, 25, 25]


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, {"id": "1"}, None),
        (404, {}, "in_recycle_bin"),
        (409, {"category": "CONFLICT"}, "email_of_another_contact"),
        (400, {"errors": [{"code": "PROPERTY_DOESNT_EXIST"}]}, "unknown_property"),
        (400, {"errors": [{"code": "NOT_SEEN_BEFORE"}]}, "invalid_value"),
        (400, {}, "invalid_value"),
    ],
)
async def test_a_change_that_is_not_made_is_told_why(status: int, body: object, why: str | None) -> None:
    assert await crm(always(status, body)).change("1", {"city": "Utrecht"}) == why


@pytest.mark.parametrize(("zone", "seconds"), [("UTC", 1_800.0), ("America/New_York", 19_800.0)])
async def test_a_spent_day_ends_at_the_accounts_midnight(zone: str, seconds: float) -> None:
    with pytest.raises(RetryLater, match="daily_limit") as caught:
        await crm(always(429, {"policyName": "DAILY"}), zone=zone).check()
    assert caught.value.after == seconds


@pytest.mark.parametrize(
    ("policy", "seconds"), [("TEN_SECONDLY_ROLLING", 10.0), ("SECONDLY", 1.0), (None, 1.0), ({"x": 1}, 1.0)]
)
async def test_a_burst_without_a_retry_after_waits_for_its_window(policy: object, seconds: float) -> None:
    with pytest.raises(RetryLater, match="rate_limited") as caught:
        await crm(always(429, {"policyName": policy})).check()
    assert caught.value.after == seconds
