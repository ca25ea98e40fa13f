"""Nobody is left untold unnoticed: notices that come back or stay unanswered, and the clock that runs on."""

import json
from datetime import timedelta
from typing import Any

import pytest

from services.orchestrator.handlers.break_silence import SilenceBreaker
from services.orchestrator.handlers.shred_requests import PATIENCE, Upkeep
from tests.integration.services.histories import Told
from tests.integration.services.orchestrator.conftest import Api
from tests.integration.services.orchestrator.desk import Desk, iso, reason

OUTCOME = {
    "headline": "fulfilled",
    "lines": [{"category": "contact", "disposition": "erased", "count": 1, "checked": "verified"}],
}


@pytest.fixture
async def desk(api: Api) -> Desk:
    desk = Desk(api)
    await desk.only(["mailing"])
    return desk


async def answered(desk: Desk, request: str, state: str, kind: str = "completion", number: int = 0) -> None:
    """Let the notifier say what became of a notice."""
    body = {"kind": kind, "at": iso(desk)} | ({} if state == "sent" else {"reason": "5.1.1"})
    await desk.bring([Told(number, f"dev.habeas.notice.{state}.v1", kind, body)], request)
    await desk.rest()


async def completed(desk: Desk) -> str:
    """Return a request that is completed, its acknowledgement sent and its completion on the way."""
    request = await desk.file()
    await desk.rest()
    await answered(desk, request, "sent", "acknowledgement", 1)
    body = {"dispatch_no": 1, "at": iso(desk), "outcome": OUTCOME}
    await desk.bring([Told(2, "dev.habeas.task.settled.v1", "mailing/erase/0", body)], request)
    await desk.rest()
    return request


async def row(api: Api, request: str) -> dict[str, Any]:
    (found,) = await api.rows("SELECT * FROM requests WHERE id = $1", request)
    return found


async def dispatches(api: Api) -> list[int]:
    """Return the numbers of the completion notices that were sent out, in order."""
    rows = await api.rows("SELECT value FROM outbox WHERE topic LIKE '%notices%' ORDER BY id")
    bodies = [json.loads(one["value"]) for one in rows]
    return [one["dispatch_no"] for one in bodies if one["kind"] == "completion"]


async def retry(api: Api, request: str) -> tuple[int, str | None]:
    async with api.client(await api.key()) as caller:
        answer = await caller.post(f"/v1/requests/{request}/retry")
        return answer.status_code, answer.json().get("code")


async def test_a_notice_that_came_back_needs_a_person_until_it_was_sent(api: Api, desk: Desk) -> None:
    request = await completed(desk)
    await answered(desk, request, "bounced", number=3)
    assert reason((await row(api, request))["attention"]) == "notice_bounced"
    assert await retry(api, request) == (200, None)
    assert await dispatches(api) == [1, 2]
    assert (await row(api, request))["attention"] is None
    await answered(desk, request, "bounced", number=4)
    assert reason((await row(api, request))["attention"]) == "notice_bounced"
    await answered(desk, request, "sent", number=5)
    assert (await row(api, request))["attention"] is None
    assert await retry(api, request) == (409, "nothing_to_retry")


async def test_an_acknowledgement_that_came_back_is_shown_until_the_person_has_the_answer(api: Api, desk: Desk) -> None:
    request = await desk.file()
    await desk.rest()
    await answered(desk, request, "bounced", "acknowledgement", 1)
    assert reason((await row(api, request))["attention"]) == "notice_bounced"
    body = {"dispatch_no": 1, "at": iso(desk), "outcome": OUTCOME}
    await desk.bring([Told(2, "dev.habeas.task.settled.v1", "mailing/erase/0", body)], request)
    await desk.rest()
    assert reason((await row(api, request))["attention"]) == "notice_bounced"
    await answered(desk, request, "sent", number=3)
    assert (await row(api, request))["attention"] is None


async def test_an_unanswered_notice_is_shown_first_and_sent_again_later(api: Api, desk: Desk) -> None:
    request = await completed(desk)
    silence, settings = SilenceBreaker(desk.deps), desk.deps.settings
    api.clock.advance(timedelta(seconds=settings.silence_attention))
    assert await silence.notices() == 1
    assert reason((await row(api, request))["attention"]) == "notice_silent"
    assert await dispatches(api) == [1]
    assert await silence.notices() == 0
    api.clock.advance(timedelta(seconds=settings.silence_redispatch[0]))
    assert await silence.notices() == 1
    assert await dispatches(api) == [1, 2]
    assert reason((await row(api, request))["attention"]) == "notice_silent"
    await answered(desk, request, "sent", number=3)
    assert (await row(api, request))["attention"] is None
    told = await api.rows("SELECT type FROM timeline WHERE type LIKE 'notice%' ORDER BY seq")
    assert [one["type"] for one in told] == ["notice.sent", "notice.silent", "notice.sent"]


async def test_a_silent_notice_is_retried_at_once_by_hand(api: Api, desk: Desk) -> None:
    request = await completed(desk)
    api.clock.advance(timedelta(hours=1))
    await SilenceBreaker(desk.deps).notices()
    assert await retry(api, request) == (200, None)
    assert await dispatches(api) == [1, 2]
    assert (await row(api, request))["attention"] is None


async def test_another_cluster_gets_every_unanswered_notice_at_once(api: Api, desk: Desk) -> None:
    request = await completed(desk)
    await SilenceBreaker(desk.deps).everything()
    assert await dispatches(api) == [1, 2]
    assert (await row(api, request))["attention"] is None


async def test_a_notice_that_cannot_be_sent_is_not_counted_as_sent_again(api: Api, desk: Desk) -> None:
    await completed(desk)
    silence = SilenceBreaker(desk.deps)
    api.clock.advance(timedelta(hours=1))
    await silence.notices()
    await api.execute("UPDATE request_secrets SET sealed = 'x'::bytea")
    api.clock.advance(timedelta(days=1))
    assert await silence.notices() == 1
    assert await dispatches(api) == [1]
    (notice,) = await api.rows("SELECT dispatch_no, silences FROM notices WHERE kind = 'completion'")
    assert (notice["dispatch_no"], notice["silences"]) == (1, 1)
    assert await silence.notices() == 0


async def test_the_contact_is_kept_while_the_answer_has_not_gone_out_but_not_for_ever(api: Api, desk: Desk) -> None:
    await completed(desk)
    upkeep, wait = Upkeep(desk.deps), timedelta(seconds=desk.deps.settings.shred_after)
    api.clock.advance(wait + timedelta(days=1))
    await upkeep.shred()
    assert await api.count("request_keys") == 1
    api.clock.advance((PATIENCE - 1) * wait)
    await upkeep.shred()
    assert await api.count("request_keys") == 0
    assert await SilenceBreaker(desk.deps).notices() == 0  # nobody can be told any more: it is not tried


async def test_the_contact_goes_in_time_once_the_person_was_told(api: Api, desk: Desk) -> None:
    request = await completed(desk)
    await answered(desk, request, "sent", number=3)
    api.clock.advance(timedelta(seconds=desk.deps.settings.shred_after + 1))
    await Upkeep(desk.deps).shred()
    assert await api.count("request_keys") == 0


@pytest.mark.parametrize(("state", "late"), [("sent", False), ("bounced", True), ("unknown", True), (None, True)])
async def test_the_clock_ends_when_the_person_was_told(api: Api, desk: Desk, state: str | None, late: bool) -> None:
    request = await completed(desk)
    if state is not None:
        await answered(desk, request, state, number=3)
    api.clock.advance(timedelta(hours=1))
    await SilenceBreaker(desk.deps).notices()
    await Upkeep(desk.deps).mark_overdue()
    assert (await row(api, request))["overdue"] is False
    api.clock.advance(timedelta(days=40))
    await Upkeep(desk.deps).mark_overdue()
    assert (await row(api, request))["overdue"] is late
