"""HubSpot's client against answers that the sandbox never gives."""

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


async def test_an_address_can_not_leave_its_place_in_the_path() -> None:
    paths: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(404)

    await crm(answer).contact("../../x?y=1#z@example.com", ("email",), by_email=True)
    assert all(path.startswith(b"/crm/v3/objects/contacts/..%2F..%2Fx%3Fy%3D1%23z%40example.com?") for path in paths)


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
