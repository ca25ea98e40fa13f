"""A request that is called off ends, whoever of those that were asked still answers."""

import json
from datetime import timedelta

import pytest

from services.orchestrator.handlers.break_silence import SilenceBreaker
from services.orchestrator.handlers.retire_processor import retire_processor
from tests.integration.services.histories import Told
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.desk import Desk, iso


@pytest.fixture
def desk(api: Api) -> Desk:
    return Desk(api)


async def said(api: Api) -> list[tuple[str, int]]:
    """Return what hosts were told, with its number, in order."""
    rows = await api.rows("SELECT headers, value FROM outbox WHERE topic LIKE '%tasks%' ORDER BY id")
    kinds = [json.loads(row["headers"])["ce_type"].removeprefix("dev.habeas.").removesuffix(".v1") for row in rows]
    return [(kind, json.loads(row["value"])["dispatch_no"]) for kind, row in zip(kinds, rows, strict=True)]


async def cancelling(desk: Desk) -> str:
    """Return a request that waits for the CRM to say that it stopped."""
    await desk.only(["crm-eu"])
    request = await desk.file()
    await desk.rest()
    await desk.cancel(request)
    return request


async def test_a_silent_host_is_told_again_that_it_is_called_off_and_not_to_begin(api: Api, desk: Desk) -> None:
    request = await cancelling(desk)
    silence = SilenceBreaker(desk.deps)
    for _ in range(2):
        api.clock.advance(timedelta(days=1))
        await silence.tasks()
        await desk.rest()
    assert await said(api) == [("task.dispatched", 1), ("task.cancelled", 1), ("task.cancelled", 2)]
    shown = (await desk.request(request))["request"]
    assert (shown["state"], shown["attention"]) == ("cancelling", "silent")
    await silence.everything()
    assert (await said(api))[-1] == ("task.cancelled", 3)
    body = {"dispatch_no": 3, "at": iso(desk), "outcome": {"headline": "nothing_found"}, "cancelled": True}
    await desk.bring([Told(1, "dev.habeas.task.settled.v1", "crm-eu/resolve/1", body)], request)
    await desk.rest()
    assert (await desk.request(request))["request"] == {"state": "cancelled", "headline": None, "attention": None}


async def test_silence_is_shown_first_and_asked_about_later(api: Api, desk: Desk) -> None:
    await desk.only(["crm-eu"])
    request = await desk.file()
    await desk.rest()
    silence = SilenceBreaker(desk.deps)
    told = []
    for _ in range(2):
        api.clock.advance(timedelta(days=1))
        await silence.tasks()
        await desk.rest()
        told.append(await said(api))
    assert told == [[("task.dispatched", 1)], [("task.dispatched", 1), ("task.dispatched", 2)]]
    assert (await desk.request(request))["request"]["attention"] == "silent"


async def test_what_is_being_called_off_is_not_retried(api: Api, desk: Desk) -> None:
    request = await cancelling(desk)
    (task,) = await api.rows("SELECT id FROM tasks")
    async with api.client(await api.key()) as caller:
        for path in (f"requests/{request}", f"tasks/{task['id']}"):
            answer = await caller.post(f"/v1/{path}/retry")
            assert (answer.status_code, answer.json()["code"]) == (409, "request_cancelling")


async def test_it_ends_though_the_processor_that_should_answer_is_retired(desk: Desk) -> None:
    request = await cancelling(desk)
    assert (await desk.request(request))["request"]["state"] == "cancelling"
    async with desk.deps.database.transaction() as connection:
        await retire_processor(connection, processor="crm-eu", reason="sold", actor="cli_tests", deps=desk.deps)
    await desk.rest()
    found = await desk.request(request)
    assert found["request"] == {"state": "cancelled", "headline": None, "attention": None}
    assert found["tasks"]["crm-eu/resolve/1"]["state"] == "settled"
