"""Vendors that are busy, lie, refuse or take long; hosts that share the work, lose it or forget it."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.reports import TaskProgressed, TaskSettled
from habeas.sdk import CannotFulfil, CredentialsRejected, RetryLater
from habeas.vocabulary import AttentionReason, Disposition, Headline, Phase
from tests.integration.services.connectors.rig import Rig, Running, until

# aiokafka leaves a connection to the garbage collector when a host is stopped while it asks for the cluster's id.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


async def test_a_flaky_vendor_is_tried_again_until_it_answers(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    vendor.raises = [RetryLater("http_503", after=0.1), ValueError("a defect"), RetryLater("http_503", after=0.1)]
    async with rig.host():
        sent = await rig.send(rig.message("crm", "c-1"))
        answer = await rig.settled(sent)
    assert answer.outcome.headline is Headline.FULFILLED
    assert (answer.effects, answer.attempts) == (1, 4)
    assert len(set(vendor.keys)) == 1, "every try carries the same idempotency key"
    told = rig.of(TaskProgressed, sent)
    assert [(one.phase, one.reason, one.attempt) for one in told] == [
        (Phase.RETRYING, "http_503", 1),
        (Phase.RETRYING, "ValueError", 2),  # only a defect counts
        (Phase.RETRYING, "http_503", 2),
    ]
    assert [one.fence for one in told] == sorted({one.fence for one in told})


async def test_retry_after_is_kept(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    vendor.raises = [RetryLater("rate_limited", after=3600.0)]
    async with rig.host():
        sent = await rig.send(rig.message("crm", "c-1"))
        told = await rig.first(TaskProgressed, sent)
        (row,) = await rig.rows("SELECT next_at, attempt, tries FROM tasks")
        assert (row["attempt"], row["tries"]) == (1, 1)
        assert row["next_at"] > datetime.now(UTC) + timedelta(seconds=3500)
        await rig.send(rig.message("crm", "c-1", sent=sent, dispatch_no=2))  # an operator does not want to wait
        await rig.settled(sent, dispatch_no=2)
    assert told.next_at is not None


async def test_refused_credentials_park_the_task_until_somebody_asks_again(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    vendor.raises = [CredentialsRejected()]
    async with rig.host():
        sent = await rig.send(rig.message("crm", "c-1"))
        told = await rig.first(TaskProgressed, sent)
        assert told.attention is AttentionReason.CREDENTIALS_REJECTED
        assert await rig.state(sent) == "parked"
        await rig.send(rig.message("crm", "c-1", sent=sent, dispatch_no=2))
        answer = await rig.settled(sent, dispatch_no=2)
    assert answer.outcome.headline is Headline.FULFILLED
    assert vendor.effects == ["r1"]


async def test_a_secret_that_was_mended_is_used_at_once_however_seldom_folders_are_looked_at(rig: Rig) -> None:
    """Whoever puts a new secret down and asks again at once is not refused with the old one once more."""
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    vendor.raises = [CredentialsRejected()]
    async with rig.host() as running:
        await running.end("folders")  # nobody looks but who was refused
        rig.write(rig.folder / "crm" / "secrets" / "token", "the second")
        sent = await rig.send(rig.message("crm", "c-1"))
        answer = await rig.settled(sent)
    assert answer.outcome.headline is Headline.FULFILLED
    assert "the second" in vendor.tokens
    assert [one for one in rig.of(TaskProgressed, sent) if one.attention is not None] == []


async def test_a_parked_task_that_is_cancelled_is_looked_at_again(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    vendor.raises = [CredentialsRejected()]
    async with rig.host():
        sent = await rig.send(rig.message("crm", "c-1"))
        await rig.first(TaskProgressed, sent)
        await rig.send(rig.cancel(sent))
        answer = await rig.settled(sent)
    # An effect was begun before it was parked, so it is finished rather than left half done.
    assert not answer.cancelled
    assert vendor.effects == ["r1"]


async def test_a_vendor_that_can_not_ends_the_task(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    vendor.raises = [CannotFulfil("legal_hold")]
    async with rig.host():
        answer = await rig.settled(await rig.send(rig.message("crm", "c-1")))
    assert [(one.disposition, one.reason) for one in answer.outcome.lines] == [(Disposition.REFUSED, "legal_hold")]


async def test_a_lying_vendor_is_caught_and_given_more_passes_when_asked(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    vendor.lie = True
    async with rig.host():
        sent = await rig.send(rig.message("crm", "c-1"))
        told = await rig.first(TaskProgressed, sent)
        assert told.attention is AttentionReason.RESIDUE_REMAINS
        assert rig.of(TaskSettled, sent) == []
        vendor.lie = False
        await rig.send(rig.message("crm", "c-1", sent=sent, dispatch_no=2))
        answer = await rig.settled(sent, dispatch_no=2)
    assert answer.outcome.headline is Headline.FULFILLED
    assert vendor.effects == ["r1"]


async def test_a_job_at_the_vendor_outlives_the_host(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["the-first-record"]}
    vendor.job_until = datetime.now(UTC) + timedelta(hours=1)
    async with rig.host():
        sent = await rig.send(rig.message("crm", "c-1"))
        told = await rig.first(TaskProgressed, sent)
    assert (told.phase, told.reason) == (Phase.WAITING_EXTERNAL, "queued")
    rows = await rig.rows("SELECT sealed FROM journal")
    assert rows != []
    assert all(b"job-1" not in row["sealed"] and b"the-first-record" not in row["sealed"] for row in rows)


async def test_two_hosts_share_the_work_and_nothing_is_done_twice(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {f"c-{number}": [f"r{number}"] for number in range(40)}
    async with rig.host(instance=0), rig.host(instance=1):
        sent = [await rig.send(rig.message("crm", customer)) for customer in vendor.records]
        for one in sent:
            await rig.settled(one)
    assert sorted(vendor.effects) == sorted(f"r{number}" for number in range(40))
    assert await rig.rows("SELECT 1 FROM tasks WHERE tries > 1") == []


async def test_a_worker_that_falls_silent_is_taken_over_and_its_late_word_is_not_heard(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    vendor.after.clear()  # the effect happens, and the reply is never heard
    silent = await rig.start(instance=0)
    sent = await rig.send(rig.message("crm", "c-1"))
    await until(lambda: vendor.effects == ["r1"])
    silence(silent)
    await rig.end_leases()
    async with rig.host(instance=1):
        answer = await rig.settled(sent)
        vendor.after.set()
        await until(lambda: vendor.together == 0)
    await silent.stop()
    assert [(one.disposition, one.count) for one in answer.outcome.lines] == [(Disposition.ERASED, 1)]
    assert vendor.effects == ["r1"]
    assert len(rig.of(TaskSettled, sent)) == 1


async def test_a_subject_is_forgotten_in_time_and_the_task_answered(rig: Rig) -> None:
    vendor = await rig.enrol("crm")
    vendor.records = {"c-1": ["r1"]}
    vendor.raises = [CredentialsRejected()]
    async with rig.host():
        sent = await rig.send(rig.message("crm", "c-1"))
        await rig.first(TaskProgressed, sent)
        await rig.rows("UPDATE tasks SET forget_after = now()")
    async with rig.host():
        answer = await rig.settled(sent)
    assert [(one.disposition, one.reason) for one in answer.outcome.lines] == [(Disposition.FAILED, "forgotten")]
    (row,) = await rig.rows("SELECT state, seal, findings FROM tasks")
    assert row == {"state": "closed", "seal": None, "findings": None}
    assert await rig.rows("SELECT 1 FROM journal") == []


def silence(running: Running) -> None:
    """Let a worker beat no more, as if its process were stopped; what it has in hand goes on."""
    part = next(one for one in running.parts if one.get_name() == "work")
    assert not part.done()
    running.host.worker.beating._step = _never
    running.host.worker._heart.seconds = running.host.worker._heart._until = 0.0


async def _never() -> int:
    return 0
