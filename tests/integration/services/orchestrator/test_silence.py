"""Who speaks is not silent, however long it takes; who falls silent is shown until it speaks: with a moved clock."""

from datetime import timedelta
from typing import Any

import pytest

from services.orchestrator.handlers.break_silence import SilenceBreaker
from tests.integration.services.histories import Told
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.desk import Desk, iso

ACCEPTED, PROGRESSED = "dev.habeas.task.accepted.v1", "dev.habeas.task.progressed.v1"


class Waiting:
    """A request that waits for one task, and a host that says what it does."""

    def __init__(self, api: Api, desk: Desk, request: str) -> None:
        self.api, self.desk, self.request = api, desk, request
        self._silence = SilenceBreaker(desk.deps)
        self._number = 0

    async def say(self, kind: str = ACCEPTED, **more: Any) -> None:
        """Let the host report."""
        self._number += 1
        body = {"dispatch_no": 1, "at": iso(self.desk), **more}
        await self.desk.bring([Told(self._number, kind, "crm-eu/resolve/1", body)], self.request)

    async def pass_by(self, minutes: int) -> None:
        """Let time pass, and have silence looked for."""
        self.api.clock.advance(timedelta(minutes=minutes))
        await self._silence.tasks()
        await self.desk.rest()

    async def attention(self) -> tuple[Any, Any]:
        """Return what request and task need."""
        found = await self.desk.request(self.request)
        (task,) = found["tasks"].values()
        return found["request"]["attention"], task["attention"]

    async def noted(self, kind: str) -> int:
        """Return how many facts of a kind stand on the timeline."""
        return len(
            await self.api.rows("SELECT 1 FROM timeline WHERE request_id = $1 AND type = $2", self.request, kind)
        )


@pytest.fixture
async def waiting(api: Api) -> Waiting:
    desk = Desk(api)
    await desk.only(["crm-eu"])
    request = await desk.file()
    await desk.rest()
    return Waiting(api, desk, request)


async def test_a_host_that_says_every_few_minutes_that_it_is_at_it_is_not_silent(waiting: Waiting) -> None:
    for _ in range(12):
        await waiting.say()
        await waiting.pass_by(10)
        assert await waiting.attention() == (None, None)
    assert await waiting.noted("task.accepted") == 1, "said again, it is no news"


async def test_a_wait_that_was_told_of_is_no_silence(waiting: Waiting) -> None:
    later = (waiting.api.clock.now() + timedelta(hours=2)).isoformat()
    await waiting.say(next_at=later)
    await waiting.pass_by(120)
    assert await waiting.attention() == (None, None)
    await waiting.pass_by(16)
    assert await waiting.attention() == ("silent", "silent")


@pytest.mark.parametrize(
    ("kind", "more"),
    [(ACCEPTED, {}), (PROGRESSED, {"phase": "waiting_external", "fence": 1, "sequence": 0, "attempt": 1})],
)
async def test_what_was_silent_is_not_once_it_speaks(waiting: Waiting, kind: str, more: dict[str, Any]) -> None:
    for _ in range(2):
        await waiting.say()
        await waiting.pass_by(16)
        assert await waiting.attention() == ("silent", "silent")
    await waiting.say(kind, **more)
    await waiting.pass_by(0)
    assert await waiting.attention() == (None, None)
    assert await waiting.noted("task.silent") == 1 + 1, "shown first again, before it is asked once more"
    assert len(await waiting.api.rows("SELECT 1 FROM outbox WHERE topic LIKE '%tasks%'")) == 1


async def test_a_task_that_waits_for_a_person_is_asked_about_ever_more_seldom(waiting: Waiting) -> None:
    parked = {"phase": "working", "sequence": 0, "attempt": 1, "attention": "credentials_rejected"}
    asked = []
    for fence in range(1, 40):
        await waiting.say(PROGRESSED, fence=fence, **parked)  # each time it is tried, and parked again
        await waiting.pass_by(60)
        (row,) = await waiting.api.rows("SELECT dispatch_no FROM tasks")
        asked.append(row["dispatch_no"])
    assert asked[-1] - asked[0] <= 3
    assert await waiting.attention() == ("credentials_rejected", "credentials_rejected")
