"""OpenAI's client against answers that the sandbox never gives."""

from collections.abc import Callable, Mapping

import httpx
import pytest

from habeas.sdk import CredentialsRejected, Http, RetryLater
from services.connectors.processors.openai.vendor import Platform, UnexpectedAnswerError


def platform(answer: Callable[[httpx.Request], httpx.Response], *, organization: str | None = None) -> Platform:
    http = Http(base_url="http://ai.invalid/v1", transport=httpx.MockTransport(answer))
    return Platform(http, token="t", organization=organization, project=None)


def always(status: int, body: object, headers: Mapping[str, str] | None = None) -> Platform:
    return platform(lambda _: httpx.Response(status, json=body, headers=dict(headers or {})))


async def ids(platform: Platform) -> list[str]:
    return [thing.id async for thing in platform.things("files")]


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"data": "none"},
        {"data": ["file-1"]},
        {"data": [{"id": "../files/x"}]},
        {"data": [{"id": "a/b"}]},
        {"data": [{"id": "file-1?x=1"}]},
        {"data": [{"id": None}]},
    ],
)
async def test_an_answer_out_of_shape_is_no_answer(body: object) -> None:
    with pytest.raises(RetryLater, match="unreadable_answer"):
        await ids(always(200, body))


@pytest.mark.parametrize("data", [[], [{"id": "file-1"}]])
async def test_a_list_that_promises_more_and_stands_still_is_not_followed_for_ever(data: object) -> None:
    with pytest.raises(RetryLater, match="cursor_stands_still"):
        await ids(always(200, {"data": data, "has_more": True}))


async def test_pages_are_followed_by_the_last_row_and_a_cursor_that_vanished_means_again() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        match request.url.params.get("after"):
            case None:
                return httpx.Response(200, json={"data": [{"id": "file-1"}], "has_more": True})
            case "file-1":
                return httpx.Response(200, json={"data": [{"id": "file-2"}], "has_more": True})
            case _:
                return httpx.Response(400, json={"error": {"message": "No such object", "param": "after"}})

    things = platform(answer).things("files")
    assert [(await anext(things)).id for _ in range(2)] == ["file-1", "file-2"]
    with pytest.raises(RetryLater, match="list_changed"):
        await anext(things)


async def test_a_bad_request_is_our_defect_and_a_missing_permission_parks() -> None:
    with pytest.raises(UnexpectedAnswerError):
        await ids(always(400, {"error": {"message": "bad"}}))
    with pytest.raises(CredentialsRejected, match="missing_permission"):
        await always(403, {"error": {"code": "x"}}).thing("files", "file-1")


@pytest.mark.parametrize("error", [{"type": "insufficient_quota"}, {"code": "billing_hard_limit_reached"}])
async def test_a_spent_quota_is_not_a_burst(error: object) -> None:
    with pytest.raises(RetryLater, match="insufficient_quota") as caught:
        await always(429, {"error": error}, {"retry-after": "1"}).check()
    assert caught.value.after == 600.0


@pytest.mark.parametrize("body", [None, [], "x", {"error": "insufficient_quota"}, {"error": None}])
async def test_a_429_of_any_other_shape_is_a_burst(body: object) -> None:
    with pytest.raises(RetryLater, match="rate_limited"):
        await always(429, body).check()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "20"}, 1.0),
        ({"retry-after-ms": "-5"}, 1.0),
        ({"retry-after-ms": "1e300"}, 86_400.0),
        ({"retry-after-ms": "nan", "retry-after": "9"}, 9.0),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "7"}, 7.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360.0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1h2m3.5s"}, 3_723.5),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms"}, 1.0),
        ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "6m0s"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "soon"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 409, 503])
async def test_every_way_to_name_a_wait_is_read(headers: dict[str, str], seconds: float | None, status: int) -> None:
    with pytest.raises(RetryLater) as caught:
        await always(status, {}, headers).check()
    assert caught.value.after == seconds


async def test_organization_and_project_are_sent_where_they_are_set() -> None:
    sent: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers)
        return httpx.Response(200, json={"data": []})

    await platform(answer, organization="org-1").check()
    await platform(answer).check()
    assert (sent[0]["openai-organization"], sent[0]["authorization"]) == ("org-1", "Bearer t")
    assert not [name for name in sent[1] if name.startswith("openai-")]


async def test_a_deletion_without_a_body_is_one_and_404_is_none() -> None:
    assert await platform(lambda _: httpx.Response(200)).delete("responses", "resp_1") is True
    assert await always(404, {"error": {}}).delete("files", "file-1") is False


async def test_what_appears_while_a_conversation_is_emptied_goes_too_and_what_stays_is_told() -> None:
    left, late, stuck = ["msg_1", "msg_2"], ["msg_3"], ["msg_4"]

    def answer(request: httpx.Request) -> httpx.Response:
        item = request.url.path.rpartition("/")[2]
        if request.method == "DELETE":
            left[:] = [one for one in left if one != item or one in stuck]
            left.extend(late)
            late.clear()
            return httpx.Response(200, json={"id": "conv_1"})
        return httpx.Response(200, json={"data": [{"id": one} for one in left], "has_more": False})

    assert await platform(answer).emptied("conversations", "conv_1") is True
    left.extend(stuck)
    assert await platform(answer).emptied("conversations", "conv_1") is False


@pytest.mark.parametrize("raw", [{}, {"created_at": "x"}, {"created_at": 10**30}, {"created_at": -(10**30)}])
async def test_a_day_that_can_not_be_read_is_none(raw: dict[str, object]) -> None:
    thing = await always(200, {"id": "file-1"} | raw).thing("files", "f")
    assert thing is not None
    assert thing.made_on is None


@pytest.mark.parametrize("body", [b"<html>", b'{"deleted": tr', b"[]", b'{"deleted": false}'])
async def test_a_page_that_a_proxy_sends_is_no_deletion(body: bytes) -> None:
    with pytest.raises(RetryLater, match="unreadable_answer"):
        await platform(lambda _: httpx.Response(200, content=body)).delete("files", "file-1")
