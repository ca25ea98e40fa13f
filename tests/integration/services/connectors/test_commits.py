"""Group commit on PostgreSQL: many writes in one transaction, each only for the attempt that holds its task."""

import asyncio
from dataclasses import replace

import pytest

from contracts import ids
from contracts.outcomes import Line, Outcome
from habeas.engine import LeaseLost
from habeas.vocabulary import Checked, Disposition
from services.chassis.kafka.composer import Composer
from services.connectors.domain.claimed import Answered, Claimed
from services.connectors.host.commits import SQL as WORK
from services.connectors.host.commits import Commits, Write
from services.connectors.host.reports import Reports
from tests.integration.services.connectors.desk import Desk
from tests.integration.services.connectors.test_holds import dispatched

WORKER = "0-of-this-test"
FIRST, SECOND = 1, 2  # the fences of two attempts


async def claimed_twice(desk: Desk) -> Claimed:
    """Return a task of which the same worker took hold again, while its first attempt still goes on."""
    await desk.bring([dispatched(desk)], ids.new("tsk"))
    await desk.rows(WORK["claim"], ["crm"], [1], WORKER)
    await desk.rows("UPDATE tasks SET holder = NULL, next_at = now()")
    (row,) = await desk.rows(WORK["claim"], ["crm"], [1], WORKER)
    return Claimed.of(row)


def erased(count: int) -> Answered:
    line = Line(category="records", disposition=Disposition.ERASED, count=count, checked=Checked.VERIFIED)
    return Answered(Outcome.of((line,)), effects=count)


@pytest.mark.parametrize("order", [(FIRST, SECOND), (SECOND, FIRST)])
async def test_of_two_attempts_that_end_in_one_transaction_the_later_one_counts(
    desk: Desk, order: tuple[int, int]
) -> None:
    task = await claimed_twice(desk)
    (served,) = desk.served().values()
    reports = Reports(Composer(source="connectors", namespace=""), desk.clock)
    commits = Commits(desk.database, reports, worker=lambda: WORKER, after=lambda: None)
    writes = {fence: Write(replace(task, fence=fence), served, ending=erased(fence)) for fence in order}
    for write in writes.values():
        commits.begin(write)
    committing = asyncio.create_task(commits.run())
    await asyncio.wait([write.done for write in writes.values()])
    committing.cancel()
    assert isinstance(writes[FIRST].done.exception(), LeaseLost)
    assert writes[SECOND].done.exception() is None
    assert (await desk.outcome(task.id))["lines"][0]["count"] == SECOND
    assert (await desk.stands(task.id))["reports"] == {"task.settled": [1]}
