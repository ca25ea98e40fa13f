"""Golden histories of what the notifier is told end as they once did, doubled, delayed and in any order."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import ids
from contracts.seal import SealedNotice
from contracts.topics import MESSAGES, NOTICES
from services.chassis.clock import SystemClock
from services.chassis.crypto.keys import FixedKeys
from services.chassis.crypto.seal import seal
from services.chassis.dead_letters import DeadLetters
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.consumer import Taker
from services.chassis.kafka.decoding import Decoder
from services.chassis.kafka.outgoing import Outgoing
from services.chassis.postgres.pool import Database
from services.notifier.domain.notices import Sent, Tried
from services.notifier.handlers.answers import report
from services.notifier.handlers.take_notices import TakeNotices
from services.notifier.store.notices import Intake, Notices
from tests.integration.services.histories import SEEDED, History, Post, Told, any_post, histories
from tests.integration.services.notifier.conftest import KEYS, SECRET, World, now

HISTORIES = histories("notifier")
SENDER = "sender/test"


class Desk:
    """A notifier without broker and mail server: its consumer by hand, and a sender that counts what it hands over."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.mails: dict[str, int] = {}
        self._composer = Composer(source="notifier", namespace="")
        self._notices = Notices(database, announce=lambda answered: report(self._composer, KEYS, answered))
        self._said: dict[tuple[str, int], Outgoing] = {}
        handler = TakeNotices(
            Intake(), announce=lambda answered: report(self._composer, KEYS, answered), clock=SystemClock()
        )
        self._post = Post(
            Taker(
                "notices",
                handler,
                decoder=Decoder({NOTICES.name: NOTICES}, FixedKeys([KEYS])),
                refresh=FixedKeys().refresh,
                database=database,
                dead_letters=DeadLetters(SECRET, days=1),
                halt_after=3,
                after_commit=lambda: None,
            )
        )

    async def bring(self, batch: list[Told], notice: str) -> None:
        """Let the notifier take a batch about `notice`."""
        await self._post.bring([self._record(one, notice) for one in batch])

    async def send(self) -> None:
        """Hand over whatever is due."""
        async with self.database.connection() as connection:
            await connection.execute(
                "INSERT INTO leases VALUES ($1, $1, 1, clock_timestamp() + interval '1 hour') ON CONFLICT DO NOTHING",
                SENDER,
            )
        claims = await self._notices.claim(SENDER, 100)
        may_leave = await self._notices.hand_over(SENDER, claims)
        for notice in may_leave:
            self.mails[notice] = self.mails.get(notice, 0) + 1
        await self._notices.record([Tried(claim, Sent()) for claim in claims])

    async def stands(self, notice: str) -> dict[str, Any]:
        """Return what is remembered of `notice`, and how often it was handed over."""
        async with self.database.connection() as connection:
            row = await connection.fetchrow("SELECT * FROM notices WHERE id = $1", notice)
            assert row is not None
            assert await connection.fetchval("SELECT count(*) FROM dead_letters") == 0
        state = {"state": row["state"], "dispatch_no": row["dispatch_no"], "sealed": row["sealed"] is not None}
        return {"notice": state, "mails": self.mails.get(notice, 0)}

    def _record(self, one: Told, notice: str) -> Outgoing:
        if (notice, one.number) not in self._said:
            self._said[notice, one.number] = self._compose(one, notice)
        return self._said[notice, one.number]

    def _compose(self, one: Told, notice: str) -> Outgoing:
        case = f"cas{notice[3:]}"
        named = {"livemode": True, "notice_id": notice, "case_id": case, "request_id": f"req{notice[3:]}"}
        sealed = seal(KEYS, SealedNotice(notice=notice, email="jane@example.com"))
        body = MESSAGES[one.type].model_validate({**named, **one.body, "sealed": sealed})
        event = ids.new("evt")
        return self._composer.compose(NOTICES, body, key=case, keys=KEYS, event_id=event, subject=case, at=now())


@pytest.fixture
async def desk(bare_world: World) -> AsyncIterator[Desk]:
    database = await Database.open(bare_world.settings().database_url.get_secret_value(), name="test", size=3)
    yield Desk(database)
    await database.close()


async def lived(desk: Desk, history: History, batches: list[list[Told]]) -> dict[str, Any]:
    """Bring `batches` about a new notice and send what is due; return how it stands."""
    notice = ids.new("ntc")
    for place, batch in enumerate(batches, start=1):
        await desk.bring(batch, notice)
        if place == history.worked:
            await desk.send()
    await desk.send()
    return await desk.stands(notice)


@pytest.mark.parametrize("history", HISTORIES, ids=lambda one: one.name)
async def test_a_history_ends_as_it_did(desk: Desk, history: History) -> None:
    assert await lived(desk, history, history.in_order) == history.ends


@pytest.mark.parametrize("history", HISTORIES, ids=lambda one: one.name)
@SEEDED
@given(data=st.data())
async def test_however_it_is_delivered(desk: Desk, history: History, data: st.DataObject) -> None:
    assert await lived(desk, history, data.draw(any_post(history))) == history.ends


@SEEDED
@given(data=st.data())
async def test_a_sender_may_be_at_work_between_any_two_batches(desk: Desk, data: st.DataObject) -> None:
    (history,) = (one for one in HISTORIES if one.name == "sent-once")
    notice = ids.new("ntc")
    for batch in data.draw(any_post(history)):
        await desk.bring(batch, notice)
        if data.draw(st.booleans()):
            await desk.send()
    await desk.send()
    assert await desk.stands(notice) == history.ends
