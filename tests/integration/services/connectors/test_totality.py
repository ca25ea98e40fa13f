"""Golden histories of what a connector host is told end as they once did, doubled, delayed and in any order."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import ids
from tests.integration.services.connectors.desk import Desk, customer_of, earlier_of
from tests.integration.services.histories import SEEDED, History, Told, any_post, histories

HISTORIES = histories("connectors")


async def lived(desk: Desk, history: History, batches: list[list[Told]]) -> dict[str, Any]:
    """Bring `batches` about a new task and let it be worked on; return how it stands."""
    task = ids.new("tsk")
    desk.vendor.records[customer_of(task)] = [customer_of(task)]
    if "held_until" in history.before:
        until = date.fromisoformat(history.before["held_until"])
        await desk.keep(history.messages[0], earlier_of(task), customer_of(task), until)
    for place, batch in enumerate(batches, start=1):
        await desk.bring(batch, task)
        if place == history.worked:
            await desk.work()
    await desk.work()
    assert await desk.dead_letters() == 0
    return await desk.stands(task)


def same(found: dict[str, Any], ends: dict[str, Any]) -> None:
    """Compare what the golden end speaks of."""
    seen = {name: found[name] for name in ends}
    seen["task"] = {name: found["task"][name] for name in ends["task"]}
    assert seen == ends


@pytest.mark.parametrize("history", HISTORIES, ids=lambda one: one.name)
async def test_a_history_ends_as_it_did(desk: Desk, history: History) -> None:
    same(await lived(desk, history, history.in_order), history.ends)


@pytest.mark.parametrize("history", HISTORIES, ids=lambda one: one.name)
@SEEDED
@given(data=st.data())
async def test_however_it_is_delivered(desk: Desk, history: History, data: st.DataObject) -> None:
    found = await lived(desk, history, data.draw(any_post(history)))
    ends = {**history.ends}
    if "reports" in ends:  # it may have been asked fewer times before it answered, but it says so to whoever asked last
        ends["reports"] = {name: numbers[-1:] for name, numbers in ends["reports"].items()}
        found["reports"] = {name: numbers[-1:] for name, numbers in found["reports"].items()}
    same(found, ends)
