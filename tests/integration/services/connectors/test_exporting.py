"""Exports of a host: one sealed object for the attempt that is named, whatever else was tried; gone when it is over."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contracts.exports import folder_of, path_of
from contracts.reports import TaskProgressed, TaskSettled
from contracts.seal import SealedIdentity, SealedSubject
from habeas.sdk import CannotFulfil, RetryLater
from habeas.vocabulary import Action, AttentionReason, Disposition, IdentityType
from services.chassis.crypto.seal import seal
from services.chassis.exports import ExportedRecord, ExportReader
from services.chassis.metrics import LOOP_FAILURES
from tests.integration.services.connectors.rig import Rig, Sent, until
from tests.integration.services.connectors.vendor import Vendor

# aiokafka leaves a connection to the garbage collector when a host is stopped while it asks for the cluster's id.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

PLANTED = b"jane.planted@example.com "


async def stream(file: Path) -> AsyncIterator[bytes]:
    data = file.read_bytes()
    for at in range(0, len(data), 99_991):
        yield data[at : at + 99_991]


async def exported(rig: Rig, answer: TaskSettled) -> list[object]:
    """Return what the object that `answer` names holds; it must be all that lies in the store of this task."""
    assert answer.export is not None
    path = path_of(answer.task_id, answer.export.attempt)
    file = rig.exports / path
    assert [one for one in rig.stored() if one.startswith(folder_of(answer.task_id))] == [path]
    assert file.stat().st_size == answer.export.size
    assert hashlib.sha256(file.read_bytes()).hexdigest() == answer.export.sha256
    things: list[object] = []
    async for one in ExportReader(stream(file), rig.export_key(answer.task_id), receipt=answer.export):
        if isinstance(one, ExportedRecord):
            things.append(one.fields["ref"])
        else:
            things.append(sum([len(chunk) async for chunk in one.chunks]))
    return things


async def vendor_of(rig: Rig, *, file_size: int = 200_000) -> Vendor:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1", "r2"]}
    vendor.file_size = file_size
    vendor.text = PLANTED
    return vendor


async def send(rig: Rig, customer: str = "c-1") -> Sent:
    return await rig.send(rig.message("crm", customer, action=Action.EXPORT))


async def emptied(rig: Rig, sent: Sent) -> None:
    """Wait until nothing of a task is in the store, and its row says so."""

    async def gone() -> bool:
        rows = await rig.rows("SELECT exports FROM tasks WHERE id = $1", sent.id)
        return not rig.stored() and all(row["exports"] is None for row in rows)

    await until(gone)


async def test_the_object_holds_what_was_exported_and_nothing_readable(rig: Rig) -> None:
    await vendor_of(rig)
    async with rig.host():
        answer = await rig.settled(await send(rig))
    assert [(one.disposition, one.count) for one in answer.outcome.lines] == [(Disposition.EXPORTED, 2)]
    assert answer.export is not None
    assert (answer.export.attempt, answer.export.records, answer.export.files) == (1, 2, 2)
    assert await exported(rig, answer) == ["r1", 200_000, "r2", 200_000]
    control = b"control"
    (rig.exports / "control").write_bytes(control)
    stored = b"".join((rig.exports / name).read_bytes() for name in rig.stored())
    assert control in stored
    assert [one for one in (PLANTED.strip(), b"customer", b"records", b"text/plain") if one in stored] == []


async def test_a_repeated_report_names_the_same_object(rig: Rig) -> None:
    await vendor_of(rig)
    async with rig.host():
        sent = await send(rig)
        first = await rig.settled(sent)
        await rig.send(rig.message("crm", "c-1", sent=sent, action=Action.EXPORT, dispatch_no=2))
        again = await rig.settled(sent, dispatch_no=2)
    assert first.export is not None
    assert again.export == first.export
    assert await exported(rig, again)


async def test_who_has_nothing_leaves_nothing(rig: Rig) -> None:
    await vendor_of(rig)
    async with rig.host():
        answer = await rig.settled(await send(rig, "c-9"))
    assert [one.disposition for one in answer.outcome.lines] == [Disposition.NOT_FOUND]
    assert answer.export is None
    assert rig.stored() == []


async def test_an_attempt_that_broke_off_leaves_nothing_beside_the_one_that_did_not(rig: Rig) -> None:
    vendor = await vendor_of(rig)
    vendor.raises = [RetryLater(after=0.05), RuntimeError("made up")]
    async with rig.host():
        answer = await rig.settled(await send(rig))
        assert await exported(rig, answer)
    assert answer.export is not None
    assert answer.export.attempt == answer.attempts == 3


async def test_a_refusal_leaves_nothing(rig: Rig) -> None:
    vendor = await vendor_of(rig)
    vendor.raises = [CannotFulfil("not_theirs")]
    async with rig.host():
        sent = await send(rig)
        answer = await rig.settled(sent)
        await emptied(rig, sent)
    assert answer.export is None
    assert [(one.disposition, one.reason) for one in answer.outcome.lines] == [(Disposition.REFUSED, "not_theirs")]


async def test_a_cancel_in_mid_export_leaves_nothing(rig: Rig) -> None:
    vendor = await vendor_of(rig)
    vendor.gate.clear()
    async with rig.host():
        sent = await send(rig)
        await until(lambda: vendor.arrived == 1)
        await rig.send(rig.cancel(sent))
        await until(lambda: _cancelled(rig, sent))
        vendor.gate.set()
        answer = await rig.settled(sent)
        await emptied(rig, sent)
    assert answer.cancelled
    assert answer.export is None


async def _cancelled(rig: Rig, sent: Sent) -> bool:
    """Whether the cancel is stored; whoever has the task in hand was told before that."""
    return bool(await rig.rows("SELECT FROM tasks WHERE id = $1 AND cancelled", sent.id))


async def test_a_host_that_stops_in_mid_export_leaves_it_to_another(rig: Rig) -> None:
    vendor = await vendor_of(rig)
    vendor.gate.clear()
    running = await rig.start(finish_within=0.0)
    sent = await send(rig)
    await until(lambda: vendor.arrived == 1)
    await running.stop()
    vendor.gate.set()
    await rig.end_leases()
    async with rig.host():
        answer = await rig.settled(sent)
        await until(lambda: len(rig.stored()) == 1)
        assert await exported(rig, answer)
    assert answer.export is not None
    assert answer.export.attempt == 2


@pytest.mark.parametrize("over", ["closed", "forgotten"])
async def test_what_is_over_is_deleted(rig: Rig, over: str) -> None:
    await vendor_of(rig)
    async with rig.host():
        sent = await send(rig)
        await rig.settled(sent)
        left = rig.exports / folder_of(sent.id) / "0000000007.habeas#1"
        left.touch()  # of a writer that was killed
        if over == "closed":
            await rig.send(rig.closed(sent))
            await emptied(rig, sent)
    if over == "forgotten":
        await rig.rows("UPDATE tasks SET forget_after = now()")
        async with rig.host():
            await emptied(rig, sent)
    assert await rig.state(sent) == "closed"


async def test_a_close_in_mid_export_leaves_nothing(rig: Rig) -> None:
    vendor = await vendor_of(rig)
    vendor.gate.clear()
    async with rig.host():
        sent = await send(rig)
        await until(lambda: vendor.arrived == 1)
        await rig.send(rig.closed(sent))
        await until(lambda: _is(rig, sent, "closed"))
        vendor.gate.set()
        await emptied(rig, sent)


async def _is(rig: Rig, sent: Sent, state: str) -> bool:
    return await rig.state(sent) == state


async def test_a_store_that_is_away_is_waited_for_and_told_of(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.connectors.host.work.STORE_PATIENCE", 1)
    monkeypatch.setattr("services.connectors.domain.backoff.FIRST", 0.05)
    await vendor_of(rig)
    async with rig.host():
        rig.exports.rmdir()
        rig.exports.touch()  # a file where the folder was: nothing can be written below it
        sent = await send(rig)

        def told() -> list[TaskProgressed]:
            return [one for one in rig.of(TaskProgressed, sent) if one.attention is not None]

        await until(lambda: bool(told()))
        assert (told()[0].attention, told()[0].reason) == (AttentionReason.KEEPS_FAILING, "export_store_unreachable")
        assert told()[0].next_at is not None, "it goes on by itself"
        rig.exports.unlink()
        answer = await rig.settled(sent)
        assert await exported(rig, answer)


async def test_what_can_not_be_deleted_now_is_deleted_later(rig: Rig) -> None:
    await vendor_of(rig)
    async with rig.host():
        sent, other = await send(rig), await send(rig)
        await rig.settled(sent)
        await rig.settled(other)
    away = rig.exports.parent / "away"
    rig.exports.rename(away)
    rig.exports.touch()
    async with rig.host(exports_url=None):
        await rig.send(rig.closed(sent))
        await until(lambda: _is(rig, sent, "closed"))
        await rig.send(rig.closed(other))
        await until(lambda: _is(rig, other, "closed"))
    assert {row["exports"] for row in await rig.rows("SELECT exports FROM tasks")} == {"all"}
    rig.exports.unlink()
    away.rename(rig.exports)
    async with rig.host():
        await emptied(rig, sent)


async def test_a_store_that_is_away_when_a_task_is_closed_is_asked_again(rig: Rig) -> None:
    await vendor_of(rig)
    failures = LOOP_FAILURES.labels("purge")._value
    async with rig.host():
        sent = await send(rig)
        await rig.settled(sent)
        away = rig.exports.parent / "away"
        rig.exports.rename(away)
        rig.exports.touch()
        before = failures.get()
        await rig.send(rig.closed(sent))
        await until(lambda: failures.get() > before)
        rig.exports.unlink()
        away.rename(rig.exports)
        assert rig.stored()
        await emptied(rig, sent)


async def test_a_tombstone_stays_until_its_exports_are_deleted(rig: Rig) -> None:
    await vendor_of(rig)
    async with rig.host(exports_url=None):
        sent = await rig.send(rig.message("crm", "c-9", action=Action.EXPORT))
        await rig.settled(sent)
    await rig.rows(
        "UPDATE tasks SET state = 'closed', keep_until = now() - interval '1 day', forget_after = NULL, exports = 'all'"
    )
    async with rig.host():
        await until(lambda: _is_gone(rig, sent))


async def _is_gone(rig: Rig, sent: Sent) -> bool:
    return await rig.state(sent) is None


async def test_without_a_store_an_export_is_not_made(rig: Rig) -> None:
    await vendor_of(rig)
    async with rig.host(exports_url=None):
        answer = await rig.settled(await send(rig))
    assert [(one.disposition, one.reason) for one in answer.outcome.lines] == [(Disposition.FAILED, "no_export_store")]


async def test_a_seal_without_a_key_for_exports_is_asked_for_again(rig: Rig) -> None:
    await vendor_of(rig)
    async with rig.host():
        task = rig.message("crm", "c-1", action=Action.EXPORT)
        identity = SealedIdentity(type=IdentityType.CUSTOMER_ID, value="c-1")
        subject = SealedSubject(task=task.task_id, identities=(identity,))
        sent = await rig.send(task.model_copy(update={"sealed": seal(rig.enrolled["crm"], subject)}))
        await until(lambda: _is(rig, sent, "unsealable"))
        await rig.send(rig.message("crm", "c-1", sent=sent, action=Action.EXPORT, dispatch_no=2))
        answer = await rig.settled(sent, dispatch_no=2)
        assert await exported(rig, answer)


async def test_many_large_exports_take_turns(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.connectors.host.exports.SMALL", 1_000)
    monkeypatch.setattr("services.connectors.host.exports.TURN_WITHIN", 0.01)
    monkeypatch.setattr("services.connectors.host.exports.BUSY_PAUSE", 0.05)
    vendor = await vendor_of(rig)
    vendor.gate.clear()
    async with rig.host():
        all_sent = [await send(rig) for _ in range(7)]
        await until(lambda: _put_off(rig, 3))
        await until(lambda: vendor.arrived >= 4)
        assert vendor.arrived == 4, "the others wait before their last chunk"
        vendor.gate.set()
        for sent in all_sent:
            assert await exported(rig, await rig.settled(sent))
        await until(lambda: len(rig.stored()) == len(all_sent))


async def _put_off(rig: Rig, tasks: int) -> bool:
    return len(await rig.rows("SELECT FROM tasks WHERE reason = 'exports_busy'")) == tasks


async def test_an_attempt_that_lost_its_lease_and_does_not_know_it(rig: Rig) -> None:
    vendor = await vendor_of(rig)
    vendor.records = {"c-1": ["r1"]}
    vendor.gate.clear()
    async with rig.host():
        sent = await send(rig)
        await until(lambda: vendor.arrived == 1)
        await rig.rows("UPDATE tasks SET holder = NULL, next_at = now() WHERE id = $1", sent.id)
        await until(lambda: vendor.arrived == 2)
        vendor.gate.set()
        answer = await rig.settled(sent)
        assert answer.export is not None
        path = path_of(sent.id, answer.export.attempt)
        assert answer.export.attempt == 2
        await until(lambda: _nothing_due(rig))
        await until(lambda: rig.stored() == [path])


async def _nothing_due(rig: Rig) -> bool:
    return not await rig.rows("SELECT FROM tasks WHERE exports <> 'written'")
