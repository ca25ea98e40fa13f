"""The asyncio client makes the same calls as the blocking one."""

import inspect

import httpx
import pytest

from habeas.client import AsyncHabeas, Habeas, NewRequest, Unreachable
from habeas.client.groups import Group
from tests.unit.habeas.client.conftest import Script, a_request, problem

PERSON = NewRequest("erasure", {"email": "jane@example.com"})


async def test_files_and_repeats_with_one_key(async_habeas: AsyncHabeas, script: Script) -> None:
    script.then(httpx.ConnectError("refused"), problem(503, "busy"), a_request())
    async with async_habeas as habeas:
        assert (await habeas.requests.file(PERSON)).id == "req_1"
    assert len({request.headers["idempotency-key"] for request in script.sent}) == 1
    assert len(script.pauses) == 2


async def test_goes_through_pages(async_habeas: AsyncHabeas, script: Script) -> None:
    script.then({"data": [a_request(id="req_1")], "next_cursor": "2"}, {"data": [a_request(id="req_2")]})
    assert [request.id async for request in async_habeas.requests.list()] == ["req_1", "req_2"]


async def test_waits_until_settled(async_habeas: AsyncHabeas, script: Script) -> None:
    script.then(a_request(state="in_progress"), a_request(state="completed"))
    assert (await async_habeas.wait_until_settled("req_1")).is_settled


async def test_gives_up(async_habeas: AsyncHabeas, script: Script) -> None:
    script.then(httpx.ConnectError("refused"))
    with pytest.raises(Unreachable):
        await async_habeas.tasks.skip("tsk_1", "not needed")


def test_both_clients_have_the_same_documented_calls(habeas: Habeas, async_habeas: AsyncHabeas) -> None:
    groups = [name for name, value in vars(habeas).items() if isinstance(value, Group)]
    assert groups
    for name in groups:
        ours, theirs = getattr(habeas, name), getattr(async_habeas, name)
        assert type(ours) is type(theirs)
        for call in (call for call in vars(type(ours)) if not call.startswith("_")):
            assert inspect.getdoc(getattr(ours, call)), call
            assert inspect.signature(getattr(ours, call)) == inspect.signature(getattr(theirs, call))
