"""Histories of notices delivered doubled, late and out of order end in the same state."""

import itertools
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from contracts import ids
from contracts.cloudevents import Attributes
from contracts.message import Message
from contracts.notices import NoticeDue
from services.chassis.clock import SystemClock
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.incoming import Incoming
from services.chassis.postgres.pool import Database
from services.notifier.domain.notices import Bounced, Claim, Later, NoticeState, Sent, Tried, Unknown
from services.notifier.handlers.answers import event_id, report
from services.notifier.handlers.take_notices import TakeNotices
from services.notifier.store.notices import Intake, Notices
from tests.integration.services.notifier.conftest import KEYS, World, due, now


class Desk:
    """The handler and the store on one database, without a broker."""

    def __init__(self, world: World, database: Database) -> None:
        composer = Composer(source="notifier", namespace="")
        self.world = world
        self.database = database
        self.notices = Notices(database, announce=lambda answered: report(composer, KEYS, answered))
        self.take = TakeNotices(
            Intake(), announce=lambda answered: report(composer, KEYS, answered), clock=SystemClock()
        )

    async def deliver(self, *dues: NoticeDue) -> None:
        batch: Sequence[Incoming[Message]] = [
            Incoming("t", 0, place, one.case_id, Attributes("evt", one.wire_type(), "/", "", ""), KEYS.kid, one)
            for place, one in enumerate(dues)
        ]
        async with self.database.transaction() as connection:
            await self.take(connection, batch)

    async def lease(self, worker: str, seconds: float = 60.0) -> None:
        async with self.database.connection() as connection:
            await connection.execute(
                "INSERT INTO leases VALUES ($1, $1, 1, clock_timestamp() + make_interval(secs => $2))"
                " ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at",
                worker,
                seconds,
            )

    async def claim(self, worker: str = "sender/a") -> list[Claim]:
        await self.lease(worker)
        return await self.notices.claim(worker, 100)

    async def reports(self) -> list[str]:
        rows = await self.world.rows("SELECT headers::json ->> 'ce_type' AS type FROM outbox ORDER BY id")
        return [row["type"].split(".")[3] for row in rows]

    async def row(self, one: NoticeDue) -> dict[str, object]:
        (row,) = await self.world.rows("SELECT * FROM notices WHERE id = $1", one.notice_id)
        return row


@pytest.fixture
async def desk(bare_world: World) -> AsyncIterator[Desk]:
    database = await Database.open(bare_world.settings().database_url.get_secret_value(), name="test", size=3)
    yield Desk(bare_world, database)
    await database.close()


def again(one: NoticeDue, dispatch_no: int, **more: object) -> NoticeDue:
    return one.model_copy(update={"dispatch_no": dispatch_no, **more})


async def test_any_order_of_dispatches_leaves_the_latest(desk: Desk) -> None:
    for order in itertools.permutations([1, 2, 3]):
        first = due()
        sent = [again(first, number, due_on=first.due_on + timedelta(days=number)) for number in order]
        await desk.deliver(*sent[:2], sent[0])
        await desk.deliver(*sent)
        row = await desk.row(first)
        assert (row["dispatch_no"], row["due_on"], row["state"]) == (3, first.due_on + timedelta(days=3), "waiting")


async def test_a_notice_whose_time_is_over_is_ignored(desk: Desk) -> None:
    late = due(not_after=now() - timedelta(seconds=1))
    await desk.deliver(late)
    assert await desk.world.rows("SELECT id FROM notices") == []


async def test_a_repeat_of_an_answered_notice_gives_the_same_answer_and_no_mail(desk: Desk) -> None:
    notice = due()
    await desk.deliver(notice)
    (claimed,) = await desk.claim()
    assert await desk.notices.hand_over("sender/a", [claimed]) == {notice.notice_id}
    await desk.notices.record([Tried(claimed, Sent())])
    await desk.deliver(notice, notice)
    await desk.deliver(again(notice, 2))

    assert await desk.claim() == []
    rows = await desk.world.rows("SELECT headers::json ->> 'ce_id' AS event FROM outbox ORDER BY id")
    first, second = (event_id(notice.notice_id, "notice.sent", number) for number in (1, 2))
    assert [row["event"] for row in rows] == [first, first, second]
    row = await desk.row(notice)
    assert (row["state"], row["dispatch_no"], row["sealed"]) == ("sent", 2, None)


async def test_a_notice_that_came_back_is_tried_anew_only_when_it_is_dispatched_anew(desk: Desk) -> None:
    notice = due()
    await desk.deliver(notice)
    (claimed,) = await desk.claim()
    await desk.notices.record([Tried(claimed, Bounced("5.1.1"))])
    await desk.deliver(notice)
    assert await desk.claim() == []
    await desk.deliver(again(notice, 2), notice)
    (claimed,) = await desk.claim()
    assert (claimed.attempts, claimed.fence) == (1, 2)
    await desk.notices.hand_over("sender/a", [claimed])
    await desk.notices.record([Tried(claimed, Sent())])
    assert await desk.reports() == ["bounced", "bounced", "sent"]


async def test_what_came_to_nothing_is_due_again_after_its_pause(desk: Desk) -> None:
    await desk.deliver(due(), due())
    first, second = await desk.claim()
    await desk.notices.record([Tried(first, Later("4.7.1"), 3_600.0), Tried(second, Later("4.7.1"), 0.0)])
    (claimed,) = await desk.claim()
    assert (claimed.notice_id, claimed.fence, claimed.attempts) == (second.notice_id, 2, 2)


async def test_a_sender_without_a_lease_claims_nothing_and_hands_nothing_over(desk: Desk) -> None:
    await desk.deliver(due())
    assert await desk.notices.claim("sender/nobody", 10) == []
    claims = await desk.claim()
    await desk.lease("sender/a", -1.0)
    assert await desk.notices.hand_over("sender/a", claims) == set()


async def test_a_claim_of_a_sender_that_is_gone_is_free_and_its_fence_is_spent(desk: Desk) -> None:
    await desk.deliver(due())
    (old,) = await desk.claim("sender/a")
    assert await desk.notices.take_over(10) == (0, [])
    await desk.lease("sender/a", -1.0)
    assert await desk.notices.take_over(10) == (1, [])
    (new,) = await desk.claim("sender/b")
    await desk.lease("sender/a")

    assert await desk.notices.hand_over("sender/a", [old]) == set()
    assert await desk.notices.record([Tried(old, Bounced("5.1.1"))]) == []
    assert await desk.notices.hand_over("sender/b", [new]) == {new.notice_id}


async def test_what_a_lost_sender_was_handing_over_is_unknown_and_never_claimed_again(desk: Desk) -> None:
    notice = due()
    await desk.deliver(notice)
    (claimed,) = await desk.claim()
    await desk.notices.hand_over("sender/a", [claimed])
    await desk.lease("sender/a", -1.0)
    freed, (lost,) = await desk.notices.take_over(10)
    assert (freed, lost.state, lost.reason) == (0, NoticeState.UNKNOWN, "sender_lost")
    await desk.deliver(again(notice, 2))
    assert await desk.claim("sender/b") == []
    assert await desk.reports() == ["unknown", "unknown"]


@pytest.mark.parametrize(
    ("verdict", "state"),
    [(Sent(), "sent"), (Bounced("5.1.1"), "bounced"), (Later("4.3.0"), "unknown"), (Unknown("x"), "unknown")],
)
async def test_only_certainty_puts_an_unknown_right(desk: Desk, verdict: object, state: str) -> None:
    notice = due()
    await desk.deliver(notice)
    (claimed,) = await desk.claim()
    await desk.notices.hand_over("sender/a", [claimed])
    await desk.lease("sender/a", -1.0)
    await desk.notices.take_over(10)
    await desk.notices.record([Tried(claimed, verdict)])  # type: ignore[arg-type]
    assert (await desk.row(notice))["state"] == state


async def test_a_notice_that_nobody_could_send_in_time_is_forgotten_until_it_is_sent_again(desk: Desk) -> None:
    notice = due()
    await desk.deliver(notice)
    assert await desk.notices.tidy(60.0) == 0
    await desk.world.rows("UPDATE notices SET not_after = now() - interval '1 second' RETURNING id")
    assert await desk.claim() == []
    assert await desk.notices.tidy(60.0) == 1
    row = await desk.row(notice)
    assert (row["state"], row["sealed"], row["recipients"]) == ("lapsed", None, None)
    await desk.deliver(notice)  # the same dispatch revives nothing
    assert await desk.claim() == []
    await desk.deliver(again(notice, 2))
    assert len(await desk.claim()) == 1
    assert await desk.reports() == []


async def test_what_is_sealed_goes_after_its_time_to_live_in_any_case(desk: Desk) -> None:
    await desk.deliver(due())
    await desk.world.rows("UPDATE notices SET stored_at = now() - interval '15 days' RETURNING id")
    assert await desk.notices.tidy(14 * 86_400.0) == 1
    assert await desk.world.rows("SELECT id FROM notices WHERE sealed IS NOT NULL") == []


async def test_leases_of_senders_long_gone_are_cleared_unless_they_left_something(desk: Desk) -> None:
    await desk.deliver(due(notice_id=ids.new("ntc")))
    await desk.claim("sender/a")
    await desk.lease("sender/b", -7_200.0)
    await desk.lease("sender/a", -7_200.0)
    await desk.notices.tidy(60.0)
    assert [row["name"] for row in await desk.world.rows("SELECT name FROM leases")] == ["sender/a"]
