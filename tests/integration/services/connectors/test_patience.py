"""A host that works on a task for long says so, and calls for a person where all tries fail: with a moved clock."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import ids
from contracts.reports import TaskAccepted, TaskProgressed, TaskSettled
from habeas.sdk import RetryLater
from habeas.vocabulary import AttentionReason, Phase
from services.chassis.clock import ManualClock
from services.chassis.kafka.composer import Composer
from services.chassis.loops import Wake
from services.connectors.host.reports import Reports
from services.connectors.host.timers import AcceptLate
from tests.integration.services.connectors.desk import Desk, customer_of
from tests.integration.services.connectors.test_holds import dispatched
from tests.waiting import until

SILENCE = timedelta(minutes=15)  # after which the orchestrator calls for a person
MINUTE = timedelta(minutes=1)
MODELS: dict[str, type[TaskAccepted] | type[TaskProgressed] | type[TaskSettled]] = {
    model.TYPE: model for model in (TaskAccepted, TaskProgressed, TaskSettled)
}


class Watched:
    """A host by hand whose time is moved, and what it said of its one task."""

    def __init__(self, desk: Desk, task: str) -> None:
        self.desk = desk
        self.task = task
        reports = Reports(Composer(source="connectors", namespace=""), desk.clock)
        self._accept = AcceptLate(desk.database, desk, reports, after=2.0, every=300.0, reported=Wake())

    async def begin(self) -> None:
        """Take the task and try it once."""
        await self.desk.bring([dispatched(self.desk, retention=[])], self.task)
        await self.work()

    async def pass_by(self, minutes: int) -> None:
        """Let time pass minute by minute: what is due is worked on, and what is to be said is said."""
        for _ in range(minutes):
            self.desk.clock.advance(MINUTE)
            await self.desk.rows(
                "UPDATE tasks SET next_at = next_at - $1::interval, told_until = told_until - $1::interval,"
                " received_at = received_at - $1::interval",
                MINUTE,
            )
            if await self.desk.rows("SELECT 1 FROM tasks WHERE state = 'open' AND next_at <= now()"):
                await self.work()
            await self._accept.step()

    async def work(self) -> None:
        """Let a worker try the task once more."""
        before = await self._row()
        working = asyncio.create_task(self.desk._worker().run())

        async def tried() -> bool:
            now = await self._row()
            return now["tries"] > before["tries"] and now["holder"] is None

        try:
            await until(tried)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def _row(self) -> Any:
        (row,) = await self.desk.rows("SELECT tries, holder FROM tasks WHERE id = $1", self.task)
        return row

    async def said(self) -> list[TaskAccepted | TaskProgressed | TaskSettled]:
        """Return its reports, in order."""
        rows = await self.desk.rows("SELECT headers, value FROM outbox ORDER BY id")
        kinds = [json.loads(row["headers"])["ce_type"].removeprefix("dev.habeas.")[: -len(".v1")] for row in rows]
        return [MODELS[kind].model_validate_json(row["value"]) for kind, row in zip(kinds, rows, strict=True)]

    async def longest_silence(self) -> timedelta:
        """Return for how long it said nothing, beyond the moments for which it had said that it waits."""
        reports = await self.said()
        patient = [max(one.at, getattr(one, "next_at", None) or one.at) for one in reports]
        ends = [one.at for one in reports[1:]] + [self.desk.clock.now()]
        return max(end - start for start, end in zip(patient, ends, strict=True))


@pytest.fixture
async def watched(desk: Desk) -> Watched:
    desk.clock = ManualClock(datetime.now(UTC))
    task = ids.new("tsk")
    desk.vendor.records = {customer_of(task): ["r1"]}
    return Watched(desk, task)


async def test_a_job_that_is_asked_about_for_an_hour_is_never_silent(watched: Watched) -> None:
    vendor = watched.desk.vendor
    vendor.job_until, vendor.poll = watched.desk.clock.now() + timedelta(hours=1), 7 * MINUTE
    await watched.begin()
    await watched.pass_by(50)
    assert await watched.longest_silence() < SILENCE
    told = await watched.said()
    assert [one.phase for one in told if isinstance(one, TaskProgressed)] == [Phase.WAITING_EXTERNAL], "it is no news"
    assert len(told) <= 1 + 50 // 5, "it is said every few minutes, not at every poll"
    await watched.pass_by(20)
    assert isinstance((await watched.said())[-1], TaskSettled)


async def test_a_wait_that_was_told_of_is_not_talked_about_until_it_is_over(watched: Watched) -> None:
    watched.desk.vendor.raises = [RetryLater("rate_limited", after=3_600.0)]
    await watched.begin()
    await watched.pass_by(59)
    assert [type(one) for one in await watched.said()] == [TaskProgressed, TaskAccepted]
    assert await watched.longest_silence() < SILENCE


async def test_an_outage_that_lasts_calls_for_a_person_with_its_reason_and_is_tried_on(watched: Watched) -> None:
    vendor = watched.desk.vendor
    vendor.raises = [RetryLater("http_503", after=120.0) for _ in range(10)]
    await watched.begin()
    await watched.pass_by(14)
    assert [one.attention for one in await watched.said() if isinstance(one, TaskProgressed)] == [None]
    await watched.pass_by(2)
    last = [one for one in await watched.said() if isinstance(one, TaskProgressed)][-1]
    assert (last.attention, last.reason) == (AttentionReason.KEEPS_FAILING, "http_503")
    assert last.next_at is not None
    assert await watched.longest_silence() < SILENCE
    await watched.pass_by(5)
    assert isinstance((await watched.said())[-1], TaskSettled), "the vendor came back, and nobody had to do anything"


async def test_failures_that_something_else_came_between_do_not_add_up(watched: Watched) -> None:
    desk = watched.desk
    desk.vendor.raises = [RetryLater("http_503", after=600.0)]
    await watched.begin()
    desk.vendor.job_until, desk.vendor.poll = desk.clock.now() + timedelta(hours=5), 10 * MINUTE
    await watched.pass_by(11)
    assert [row["failing_since"] for row in await desk.rows("SELECT failing_since FROM tasks")] == [None]
