"""What must be kept outlives its task in a table of its own, and goes when its hold has ended: with a moved clock."""

from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest

from contracts import ids
from tests.integration.services.connectors.desk import Desk, customer_of
from tests.integration.services.connectors.vendor import CATEGORY
from tests.integration.services.histories import Told

DATED, ENDS = date(2025, 12, 5), date(2027, 1, 1)
YEAR = {"category": CATEGORY, "ground": "tax_law", "months": 12, "counted_from": "end_of_year"}
NUMBERS = count(1)  # the desk says the same again under the same number
DISPATCHED, CLOSED = "dev.habeas.task.dispatched.v1", "dev.habeas.task.closed.v1"


def dispatched(desk: Desk, *, dispatch_no: int = 1, **changes: Any) -> Told:
    now = desk.clock.now()
    body = {
        "dispatch_no": dispatch_no,
        "action": "erase",
        "right": "erasure",
        "round": 0,
        "manifest_version": 1,
        "not_after": (now + timedelta(days=6)).isoformat(),
        "forget_after": (now + timedelta(days=45)).isoformat(),
        "due_at": (now + timedelta(days=30)).isoformat(),
        "sealed": "$seal",
        "retention": [YEAR],
    }
    return Told(next(NUMBERS), DISPATCHED, "task", body | changes)


async def erased(desk: Desk, task: str, **changes: Any) -> list[dict[str, Any]]:
    """Have a task worked on; return its lines."""
    await desk.bring([dispatched(desk, **changes)], task)
    await desk.work()
    lines: list[dict[str, Any]] = (await desk.outcome(task))["lines"]
    return lines


def move_to(desk: Desk, day: date) -> None:
    desk.clock.advance(timedelta(days=(day - desk.clock.now().date()).days))


@pytest.fixture
def task(desk: Desk) -> str:
    """A task about somebody of whom one record must be kept for a while, and one must not."""
    name = ids.new("tsk")
    customer = customer_of(name)
    desk.vendor.records[customer] = ["paid", "old"]
    desk.vendor.dated |= {"paid": DATED, "old": date(2020, 1, 1)}
    return name


async def kept(desk: Desk, task: str) -> None:
    """Erase what may go; one record stays."""
    lines = await erased(desk, task)
    assert [(line["disposition"], line["until"]) for line in lines] == [("erased", None), ("retained", str(ENDS))]


async def test_a_hold_says_nothing_personal_in_the_clear(desk: Desk, task: str) -> None:
    await kept(desk, task)
    (hold,) = await desk.holds(task)
    assert (hold["ground"], hold["until"], hold["count"], hold["processor"]) == ("tax_law", ENDS, 1, "crm")
    row = b"".join(value if isinstance(value, bytes) else str(value).encode() for value in hold.values())
    assert customer_of(task).encode() not in row
    assert b"paid" not in row


async def test_it_outlives_the_closing_of_its_task_and_the_tombstone(desk: Desk, task: str) -> None:
    await kept(desk, task)
    await desk.bring([Told(next(NUMBERS), CLOSED, "task", {"dispatch_no": 1})], task)
    async with desk.database.connection() as connection:
        await connection.execute("DELETE FROM tasks")
    assert len(await desk.holds(task)) == 1


async def test_what_was_kept_goes_when_its_day_has_come(desk: Desk, task: str) -> None:
    await kept(desk, task)
    move_to(desk, ENDS)
    desk.vendor.records[customer_of(task)].append("newer")
    follow_up = ids.new("tsk")
    lines = await erased(desk, follow_up, follows=task, held_until=str(ENDS))
    assert [(line["category"], line["disposition"], line["count"], line["checked"]) for line in lines] == [
        (CATEGORY, "erased", 1, "verified")
    ]
    assert desk.vendor.records[customer_of(task)] == ["newer"], "nobody was searched for"
    assert await desk.holds(task) == []


async def test_the_answer_is_given_again_when_the_hold_is_long_over(desk: Desk, task: str) -> None:
    await kept(desk, task)
    move_to(desk, ENDS)
    follow_up = ids.new("tsk")
    first = await erased(desk, follow_up, follows=task, held_until=str(ENDS))
    assert await erased(desk, follow_up, dispatch_no=2, follows=task, held_until=str(ENDS)) == first


async def test_a_day_that_has_not_come_here_is_waited_for(desk: Desk, task: str) -> None:
    await kept(desk, task)
    move_to(desk, date(2026, 12, 31))
    follow_up = ids.new("tsk")
    await desk.bring([dispatched(desk, follows=task, held_until=str(ENDS))], follow_up)
    await desk.work(but_for="hold_not_over")
    (row,) = await desk.rows("SELECT state, phase, reason, answer FROM tasks WHERE id = $1", follow_up)
    assert (row["state"], row["phase"], row["reason"], row["answer"]) == (
        "open",
        "waiting_external",
        "hold_not_over",
        None,
    )
    assert desk.vendor.records[customer_of(task)] == ["paid"]


async def test_a_longer_rule_keeps_it_on_and_it_is_known_again_at_the_new_end(desk: Desk, task: str) -> None:
    await kept(desk, task)
    move_to(desk, ENDS)
    second, later = ids.new("tsk"), date(2029, 1, 1)
    longer = [YEAR | {"months": 36, "ground": "legal_claims"}]
    (line,) = await erased(desk, second, follows=task, held_until=str(ENDS), retention=longer)
    assert (line["disposition"], line["ground"], line["until"]) == ("retained", "legal_claims", str(later))
    assert await desk.holds(task) == []
    assert [hold["until"] for hold in await desk.holds(second)] == [later]
    move_to(desk, later)
    (line,) = await erased(desk, ids.new("tsk"), follows=second, held_until=str(later), retention=longer)
    assert line["disposition"] == "erased"
    assert await desk.holds(second) == []


async def test_what_went_meanwhile_is_already_done(desk: Desk, task: str) -> None:
    await kept(desk, task)
    desk.vendor.records.clear()
    move_to(desk, ENDS)
    (line,) = await erased(desk, ids.new("tsk"), follows=task, held_until=str(ENDS))
    assert line["disposition"] == "already_done"
    assert await desk.holds(task) == []


async def test_what_is_another_persons_by_then_is_left_to_a_person(desk: Desk, task: str) -> None:
    await kept(desk, task)
    desk.vendor.records = {"c-other": ["paid"]}
    move_to(desk, ENDS)
    follow_up = ids.new("tsk")
    await desk.bring([dispatched(desk, follows=task, held_until=str(ENDS))], follow_up)
    await desk.work()
    (row,) = await desk.rows("SELECT state, attention FROM tasks WHERE id = $1", follow_up)
    assert (row["state"], row["attention"]) == ("parked", "wrong_person")
    assert desk.vendor.records == {"c-other": ["paid"]}
    assert len(await desk.holds(task)) == 1


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("another day's", {"held_until": "2026-06-01"}),
        ("no day's", {"held_until": None}),
        ("another task's", {"follows": ids.new("tsk")}),
        ("a rehearsal's", {"livemode": False}),
        ("another action's", {"action": "preview"}),
    ],
)
async def test_nothing_is_claimed_of_a_hold_that_is_not_known(
    desk: Desk, task: str, what: str, changes: dict[str, Any]
) -> None:
    await kept(desk, task)
    move_to(desk, ENDS)
    (line,) = await erased(desk, ids.new("tsk"), **({"follows": task, "held_until": str(ENDS)} | changes))
    assert (line["disposition"], line["reason"], line["checked"]) == ("failed", "unknown_hold", "not_checkable"), what
    assert desk.vendor.records[customer_of(task)] == ["paid"]
    assert len(await desk.holds(task)) == 1


async def test_another_processors_hold_is_not_known(desk: Desk, task: str) -> None:
    await kept(desk, task)
    async with desk.database.connection() as connection:
        await connection.execute("UPDATE holds SET processor = 'files'")
    move_to(desk, ENDS)
    (line,) = await erased(desk, ids.new("tsk"), follows=task, held_until=str(ENDS))
    assert line["reason"] == "unknown_hold"


async def test_a_task_that_was_called_off_keeps_nothing(desk: Desk, task: str) -> None:
    later = (desk.clock.now() + timedelta(days=1)).isoformat()
    cancelled = Told(next(NUMBERS), "dev.habeas.task.cancelled.v1", "task", {"dispatch_no": 1, "not_after": later})
    await desk.bring([dispatched(desk), cancelled], task)
    await desk.work()
    assert (await desk.outcome(task))["lines"] == []
    assert await desk.holds(task) == []
