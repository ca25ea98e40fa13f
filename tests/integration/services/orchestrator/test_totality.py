"""Golden histories of what the orchestrator is told end as they once did, doubled, delayed and in any order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import ids
from tests.integration.services.histories import SEEDED, History, Told, any_post, histories
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.desk import Desk

# Whether these are told depends on what came before; what counts is that the end is the same.
PASSING = {"task.accepted", "task.progressed", "request.needs_attention", "notice.unknown"}

ALL = histories("orchestrator")
OF_REQUESTS = [one for one in ALL if "processor" not in one.ends]
OF_PROCESSORS = [one for one in ALL if "processor" in one.ends]


@pytest.fixture
def desk(api: Api) -> Desk:
    return Desk(api)


async def lived(desk: Desk, history: History, batches: list[list[Told]]) -> dict[str, Any]:
    """Bring `batches` about a new request, as soon as its processors can have said so; return how it stands."""
    await desk.only(history.before["processors"])
    request = await desk.file(history.before.get("right", "erasure"))
    await desk.rest()
    if history.before.get("cancelled"):
        await desk.cancel(request)
    if "kept_until" in history.before:
        request = await desk.followed(request, history.before["kept_until"])
    waiting = list(batches)
    while waiting:
        batch = waiting.pop(0)
        now = [one for one in batch if await desk.sayable(one, request)]
        later = [one for one in batch if one not in now]
        await desk.bring(now, request)
        await desk.rest()
        if later:
            assert now or waiting, f"nobody can ever say {[one.type for one in later]}"
            waiting.append(later)
    assert await desk.api.count("dead_letters") == 0
    found = await desk.request(request)
    for name in ("timeline", "sent"):
        found[name] = {kind: times for kind, times in found[name].items() if kind not in PASSING}
    return found


def expected(history: History) -> dict[str, Any]:
    ends = {**history.ends}
    ends["timeline"] = {kind: times for kind, times in ends["timeline"].items() if kind not in PASSING}
    return ends


@pytest.mark.parametrize("history", OF_REQUESTS, ids=lambda one: one.name)
async def test_a_history_of_a_request_ends_as_it_did(desk: Desk, history: History) -> None:
    found = await lived(desk, history, history.in_order)
    assert {name: found[name] for name in history.ends} == expected(history)


@pytest.mark.parametrize("history", OF_REQUESTS, ids=lambda one: one.name)
@SEEDED
@given(data=st.data())
async def test_however_it_is_delivered(desk: Desk, history: History, data: st.DataObject) -> None:
    found = await lived(desk, history, data.draw(any_post(history)))
    assert {name: found[name] for name in history.ends} == expected(history)


async def announced(desk: Desk, history: History, batches: list[list[Told]]) -> dict[str, Any]:
    """Bring `batches` about a new processor; return how it stands."""
    processor = f"p-{ids.new('enr')[-12:].lower()}"
    await desk.enrol(processor, "records")
    for place, batch in enumerate(batches, start=1):
        await desk.bring([Told(one.number, one.type, processor, one.body) for one in batch])
        if place == history.worked and history.before.get("approved"):
            await desk.approve(processor)
    assert await desk.api.count("dead_letters") == 0
    return await desk.processor(processor)


@pytest.mark.parametrize("history", OF_PROCESSORS, ids=lambda one: one.name)
async def test_a_history_of_a_processor_ends_as_it_did(desk: Desk, history: History) -> None:
    assert await announced(desk, history, history.in_order) == history.ends["processor"]


@pytest.mark.parametrize("history", OF_PROCESSORS, ids=lambda one: one.name)
@SEEDED
@given(data=st.data())
async def test_however_it_is_announced(desk: Desk, history: History, data: st.DataObject) -> None:
    assert await announced(desk, history, data.draw(any_post(history))) == history.ends["processor"]
