"""Messages that come twice, in another order, too late, forged, or about tasks that are over."""

from datetime import timedelta

import pytest

from contracts import ids
from contracts.reports import TaskSettled, TaskUnsealable
from contracts.seal import SealedSubject
from habeas.vocabulary import Headline
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.crypto.seal import seal
from tests.integration.services.connectors.rig import Rig, Sent, until

# aiokafka leaves a connection to the garbage collector when a host is stopped while it asks for the cluster's id.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


async def marked(rig: Rig, sent: Sent) -> None:
    """Return once everything that was sent before of a request to `crm` was taken: a later task of it is answered."""
    later = Sent(ids.new("tsk"), sent.request_id, "crm")
    await rig.settled(await rig.send(rig.message("crm", "c-nobody", sent=later)))


async def test_a_duplicate_changes_nothing(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    message = rig.message("crm", "c-1")
    async with rig.host():
        sent = await rig.send(message, message)
        await rig.settled(sent)
        vendor.records["c-1"].append("r2")
        await rig.send(message)
        again = await rig.send(rig.message("crm", "c-1", sent=sent, dispatch_no=2))
        await rig.settled(again, dispatch_no=2)  # the same key, so the duplicate was taken before
    assert vendor.effects == ["r1"]
    assert [one.dispatch_no for one in rig.of(TaskSettled, sent)] == [1, 2]


async def test_a_settled_task_answers_a_later_dispatch_with_what_it_said(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    async with rig.host():
        sent = await rig.send(rig.message("crm", "c-1"))
        first = await rig.settled(sent)
        await rig.send(rig.message("crm", "c-1", sent=sent, dispatch_no=3))
        second = await rig.settled(sent, dispatch_no=3)
    assert second.outcome == first.outcome
    assert (second.effects, second.attempts) == (first.effects, first.attempts)


async def test_an_older_dispatch_behind_a_newer_one_is_ignored(rig: Rig) -> None:
    await rig.enrol("crm")
    newer = rig.message("crm", "c-1", dispatch_no=2)
    sent = Sent(newer.task_id, newer.request_id, "crm")
    async with rig.host():
        await rig.send(newer, rig.message("crm", "c-1", sent=sent, dispatch_no=1))
        await rig.settled(sent, dispatch_no=2)
        await rig.send(rig.message("crm", "c-1", sent=sent, dispatch_no=3))
        await rig.settled(sent, dispatch_no=3)
    assert [one.dispatch_no for one in rig.of(TaskSettled, sent)] == [2, 3]


async def test_a_message_past_its_time_does_nothing(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    async with rig.host():
        sent = await rig.send(rig.message("crm", "c-1", lives=timedelta(seconds=-5)))
        await marked(rig, sent)
    assert await rig.state(sent) is None
    assert vendor.effects == []


async def test_a_cancel_in_time_ends_the_task_without_effects(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    message = rig.message("crm", "c-1")
    sent = Sent(message.task_id, message.request_id, "crm")
    await rig.send(message, rig.cancel(sent))  # both are there before the host is
    async with rig.host():
        answer = await rig.settled(sent)
    assert answer.cancelled
    assert answer.outcome.lines == ()
    assert vendor.effects == []


async def test_a_cancel_after_the_first_effect_lets_the_task_finish(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    vendor.gate.clear()
    async with rig.host():
        sent = await rig.send(rig.message("crm", "c-1"))
        await until(lambda: vendor.arrived == 1)
        await rig.send(rig.cancel(sent))
        await until(lambda: _cancelled(rig, sent))
        vendor.gate.set()
        answer = await rig.settled(sent)
    assert not answer.cancelled
    assert answer.outcome.headline is Headline.FULFILLED


async def test_a_cancel_before_its_task_is_answered_and_the_task_never_begins(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    message = rig.message("crm", "c-1")
    sent = Sent(message.task_id, message.request_id, "crm")
    async with rig.host():
        await rig.send(rig.cancel(sent))
        assert (await rig.settled(sent)).cancelled
        await rig.send(message)
        await marked(rig, sent)
    assert await rig.state(sent) == "settled"
    assert vendor.effects == []


async def test_a_closed_task_is_a_tombstone(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.aliases = {"c-1": "jane@example.com"}
    message = rig.message("crm", "c-1")
    async with rig.host():
        sent = await rig.send(message)
        await rig.settled(sent)
        await rig.send(rig.closed(sent))
        await until(lambda: _is(rig, sent, "closed"))
        vendor.records = {"c-1": ["r1"]}
        await rig.send(message)
        await rig.send(rig.message("crm", "c-1", sent=sent, dispatch_no=2))
        await rig.settled(sent, dispatch_no=2)
    (row,) = await rig.rows("SELECT seal, findings, rules FROM tasks WHERE id = $1", sent.id)
    assert row == {"seal": None, "findings": None, "rules": None}
    assert vendor.effects == []


async def test_a_task_that_is_closed_while_it_is_worked_on_is_forgotten(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    vendor.gate.clear()
    async with rig.host():
        sent = await rig.send(rig.message("crm", "c-1"))
        await until(lambda: vendor.arrived == 1)
        assert await rig.rows("SELECT 1 FROM journal") != []
        await rig.send(rig.closed(sent))
        await until(lambda: _is(rig, sent, "closed"))
        vendor.gate.set()
        await until(lambda: vendor.together == 0)
        await marked(rig, sent)
    assert await rig.state(sent) == "closed"
    assert await rig.rows("SELECT 1 FROM journal") == []
    assert rig.of(TaskSettled, sent) == []


async def test_a_closing_before_its_task_leaves_a_tombstone(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    message = rig.message("crm", "c-1")
    sent = Sent(message.task_id, message.request_id, "crm")
    async with rig.host():
        await rig.send(rig.closed(sent), message)
        await until(lambda: _is(rig, sent, "closed"))
        await marked(rig, sent)
    assert vendor.effects == []
    assert rig.of(TaskSettled, sent) == []


async def test_a_forged_task_is_put_aside_and_its_neighbours_are_served(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"], "c-2": ["r2"]}
    forged = rig.message("crm", "c-1")
    stranger = ProcessorKeys.from_secret("crm", 1, b"x" * 32)
    async with rig.host():
        await rig.produce(rig.outgoing(forged, keys=stranger))
        await rig.settled(await rig.send(rig.message("crm", "c-2")))
        await until(lambda: _letters(rig, 1))
    assert vendor.effects == ["r2"]
    (letter,) = await rig.rows("SELECT reason, proven FROM dead_letters")
    assert not letter["proven"]


async def test_a_task_of_another_processor_is_put_aside(rig: Rig) -> None:
    await rig.enrol("crm")
    await rig.enrol("files")
    stray = rig.outgoing(rig.message("files", "c-1"))
    async with rig.host():
        topic = rig.outgoing(rig.message("crm", "c-1")).topic
        await rig.produce(type(stray)(topic, stray.key, stray.headers, stray.value))
        await until(lambda: _letters(rig, 1))
    assert await rig.rows("SELECT 1 FROM tasks") == []


async def test_a_seal_under_an_unknown_key_is_said_to_be_unsealable_once(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    message = rig.message("crm", "c-1")
    sent = Sent(message.task_id, message.request_id, "crm")
    unknown = ProcessorKeys.from_secret("crm", 2, b"y" * 32)
    foreign = seal(unknown, SealedSubject(task=sent.id, identities=()))
    bad = rig.message("crm", "c-1", sent=sent, sealed=foreign)
    async with rig.host():
        await rig.send(bad)
        report = await rig.first(TaskUnsealable, sent)
        await rig.send(bad)
        await rig.send(rig.message("crm", "c-1", sent=sent, dispatch_no=2))  # sealed again
        answer = await rig.settled(sent, dispatch_no=2)
    assert (report.kid, report.key_versions) == ("crm/2", (1,))
    assert len(rig.of(TaskUnsealable, sent)) == 1
    assert answer.outcome.headline is Headline.FULFILLED


async def test_a_seal_that_was_made_for_another_task_is_not_opened(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    other = rig.message("crm", "c-1")
    moved = rig.message("crm", "c-2", sealed=other.sealed)
    async with rig.host():
        sent = await rig.send(moved)
        await rig.first(TaskUnsealable, sent)
    assert vendor.effects == []
    assert ids.is_id("tsk", sent.id)


async def _cancelled(rig: Rig, sent: Sent) -> bool:
    return (await rig.rows("SELECT cancelled FROM tasks WHERE id = $1", sent.id))[0]["cancelled"] is True


async def _is(rig: Rig, sent: Sent, state: str) -> bool:
    return await rig.state(sent) == state


async def _letters(rig: Rig, count: int) -> bool:
    return len(await rig.rows("SELECT 1 FROM dead_letters")) == count
