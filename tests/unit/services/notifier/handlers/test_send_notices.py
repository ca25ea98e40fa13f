"""A claim always ends in a result that is stored, and what cannot have left is never called unknown."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from services.chassis.crypto.keys import FixedKeys
from services.chassis.loops import Wake
from services.notifier.domain.notices import (
    Answered,
    Bounced,
    Claim,
    Later,
    Sent,
    Tried,
    Unknown,
    Verdict,
    pause_before,
)
from services.notifier.handlers.ports import Letter
from services.notifier.handlers.send_notices import SendNotices
from services.notifier.handlers.write_letter import WriteLetter
from tests.unit.services.notifier.letters import KEYS, SENDER, TEMPLATES, claim


class Store:
    """Remembers what was recorded; `failures` says how often each call fails first."""

    def __init__(self, *claims: Claim) -> None:
        self.waiting = list(claims)
        self.recorded: list[Tried] = []
        self.failures = {"hand_over": 0, "record": 0}

    async def claim(self, worker: str, limit: int) -> list[Claim]:
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return taken

    async def hand_over(self, worker: str, claims: Sequence[Claim]) -> set[str]:
        self._fail("hand_over")
        return {one.notice_id for one in claims}

    async def record(self, tries: Sequence[Tried]) -> list[Answered]:
        self._fail("record")
        self.recorded += tries
        return []

    async def take_over(self, limit: int) -> tuple[int, list[Answered]]:
        return 0, []

    def _fail(self, name: str) -> None:
        if self.failures[name]:
            self.failures[name] -= 1
            raise ConnectionError


class Wire:
    """A channel that does what a test says, and counts how many letters are on it at once."""

    def __init__(self, verdict: Verdict | Exception) -> None:
        self.verdict = verdict
        self.left: list[str] = []
        self.now = self.most = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def deliver(self, letter: Letter, may_leave: Callable[[], Awaitable[bool]]) -> Verdict:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            if not await may_leave():
                return Later("taken_over")
            self.left.append(letter.notice_id)
            await self.gate.wait()
        finally:
            self.now -= 1
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict

    async def close(self) -> None:
        self.gate.set()


def sending(store: Store, wire: Wire, room: int = 4) -> SendNotices:
    return SendNotices(
        store,
        WriteLetter(FixedKeys([KEYS]), TEMPLATES, SENDER),
        wire,
        worker="sender/a",
        room=room,
        pauses=[1.0, 8.0],
        wake=Wake(),
        announced=lambda: None,
    )


async def finish(sender: SendNotices) -> None:
    while await sender.step() or sender._tasks:
        await asyncio.gather(*sender._tasks)


@pytest.mark.parametrize("verdict", [Sent(), Bounced("5.1.1"), Unknown("timeout")])
async def test_what_the_channel_says_is_stored(verdict: Verdict) -> None:
    store, wire = Store(claim()), Wire(verdict)
    await finish(sending(store, wire))
    assert [tried.verdict for tried in store.recorded] == [verdict]


async def test_a_database_that_is_away_at_the_hand_over_means_that_nothing_left() -> None:
    store, wire = Store(claim()), Wire(Sent())
    store.failures["hand_over"] = 1
    await finish(sending(store, wire))
    assert wire.left == []
    (tried,) = store.recorded
    assert tried.verdict == Later("internal")
    assert 0.9 <= tried.wait <= 1.1


async def test_a_result_is_kept_until_the_database_takes_it() -> None:
    store, wire = Store(claim()), Wire(Sent())
    store.failures["record"] = 2
    await finish(sending(store, wire))
    assert [tried.verdict for tried in store.recorded] == [Sent()]
    assert len(wire.left) == 1


async def test_a_defect_after_the_message_left_is_unknown() -> None:
    store, wire = Store(claim()), Wire(RuntimeError())
    await finish(sending(store, wire))
    assert [tried.verdict for tried in store.recorded] == [Unknown("internal")]


async def test_a_letter_that_can_not_be_written_bounces_without_the_channel() -> None:
    store, wire = Store(claim(sealed="nonsense")), Wire(Sent())
    await finish(sending(store, wire))
    assert [tried.verdict for tried in store.recorded] == [Bounced("broken_seal")]
    assert wire.most == 0


async def test_no_more_are_on_their_way_than_there_is_room_for() -> None:
    store, wire = Store(*(claim() for _ in range(10))), Wire(Sent())
    await finish(sending(store, wire, room=3))
    assert wire.most == 3
    assert len(store.recorded) == 10


@pytest.mark.parametrize(("attempt", "pause"), [(1, 5.0), (2, 30.0), (3, 60.0), (4, 60.0), (99, 60.0)])
def test_pauses_grow_and_the_last_one_repeats(attempt: int, pause: float) -> None:
    assert pause_before(attempt, (5.0, 30.0, 60.0)) == pause
