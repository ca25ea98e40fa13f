"""Jobs that a vendor works on by itself, and verification that has to wait."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from habeas.engine import Again, OutcomeLine, Park, Settled
from habeas.sdk import Answered, CannotFulfil, Context, Disposition, Item, Result, Results, RetryLater, Wait
from habeas.testing import Crash, Crashed, MemoryLedger, Time
from habeas.vocabulary import AttentionReason, Checked, Phase
from tests.unit.habeas.engine.vendor import Vendor, VendorProcessor, manifest, run, vendor_with

HOUR = timedelta(hours=1)


@dataclass
class Job:
    """The vendor's one job: started, and over or not."""

    started: int = 0
    over: bool = False
    polls: int = 0
    answers: list[bytes | None] | None = None


class ByJob(VendorProcessor):
    """Erases by a job that has to be asked about."""

    def __init__(self, vendor: Vendor, job: Job) -> None:
        super().__init__(vendor)
        self.job = job

    def erase(self, ctx: Context, items: Sequence[Item]) -> Answered:
        self.job.started += 1
        now = ctx.now()
        return Wait("job-1", check_at=now + HOUR, expect_by=now + 3 * HOUR, reason="vendor_works")

    async def resume(self, ctx: Context, wait: Wait, answer: bytes | None = None) -> Results:
        self.job.polls += 1
        if not self.job.over and answer is None:
            return replace(wait, check_at=ctx.now() + HOUR)
        gone = [self.item(ref) for ref in list(self.vendor.things)]
        for item in gone:
            self.vendor.erase(item.ref)
        return [Result(item, Disposition.ERASED) for item in gone]


ERASED = OutcomeLine("files", Disposition.ERASED, 2, Checked.VERIFIED)
WAITING = Again("vendor_works", Phase.WAITING_EXTERNAL, 3600.0)


async def test_a_job_is_remembered_before_it_is_asked_about() -> None:
    job, ledger, clock = Job(), MemoryLedger(), Time()
    processor = ByJob(vendor_with("a", "b"), job)
    assert await run(processor, ledger, clock=clock) == WAITING
    assert ledger.wait is not None
    assert job.polls == 0
    assert await run(processor, ledger, clock=clock) == WAITING  # woken too early: nothing is asked
    assert job.polls == 0
    clock.advance(HOUR)
    assert await run(processor, ledger, clock=clock) == WAITING
    job.over = True
    clock.advance(HOUR)
    assert await run(processor, ledger, clock=clock) == Settled((ERASED,), effects=2)
    assert job.started == 1


async def test_a_job_that_takes_too_long_needs_a_person() -> None:
    job, ledger, clock = Job(), MemoryLedger(), Time()
    processor = ByJob(vendor_with("a", "b"), job)
    await run(processor, ledger, clock=clock)
    clock.advance(4 * HOUR)
    assert await run(processor, ledger, clock=clock) == Park(AttentionReason.KEEPS_FAILING, "job_overdue")
    job.over = True
    clock.advance(HOUR)
    assert isinstance(await run(processor, ledger, clock=clock), Settled)


async def test_an_answer_from_outside_need_not_wait_for_its_hour() -> None:
    ledger = MemoryLedger()
    processor = ByJob(vendor_with("a", "b"), Job())
    await run(processor, ledger)
    assert await run(processor, ledger, answer=b"done") == Settled((ERASED,), effects=2)


async def test_a_crash_at_any_step_of_a_job_loses_nothing() -> None:
    async def tell(at: int | None) -> tuple[Crash, Settled]:
        vendor, clock = vendor_with("a", "b"), Time()
        job = Job(over=True)
        crash = Crash(at=at)
        ledger = MemoryLedger(crash=crash)
        for _ in range(10):
            try:
                verdict = await run(ByJob(vendor, job), ledger, clock=clock)
            except Crashed:
                continue
            if isinstance(verdict, Settled):
                return crash, verdict
            clock.advance(HOUR)
        message = "it never ended"
        raise AssertionError(message)

    calm, verdict = await tell(None)
    for step in range(calm.steps):
        _, verdict = await tell(step)
        assert {line.disposition for line in verdict.lines} == {Disposition.ERASED}, step
        assert sum(line.count for line in verdict.lines) == 2


async def test_a_job_that_the_vendor_gives_up_is_refused() -> None:
    class GivenUp(ByJob):
        async def resume(self, ctx: Context, wait: Wait, answer: bytes | None = None) -> Results:
            raise CannotFulfil("account_closed")

    ledger, clock = MemoryLedger(), Time()
    processor = GivenUp(vendor_with("a", "b"), Job())
    await run(processor, ledger, clock=clock)
    clock.advance(HOUR)
    verdict = await run(processor, ledger, clock=clock)
    assert isinstance(verdict, Settled)
    assert [(line.disposition, line.reason) for line in verdict.lines] == [(Disposition.REFUSED, "account_closed")]


async def test_what_a_job_erased_before_the_vendor_gave_it_up_is_told_as_erased() -> None:
    class HalfDone(ByJob):
        async def resume(self, ctx: Context, wait: Wait, answer: bytes | None = None) -> Results:
            self.vendor.erase("a")
            raise CannotFulfil("account_closed")

    ledger, clock = MemoryLedger(), Time()
    processor = HalfDone(vendor_with("a", "b"), Job())
    await run(processor, ledger, clock=clock)
    clock.advance(HOUR)
    verdict = await run(processor, ledger, clock=clock)
    assert isinstance(verdict, Settled)
    assert [(line.disposition, line.count) for line in verdict.lines] == [
        (Disposition.ERASED, 1),
        (Disposition.REFUSED, 1),
    ]


async def test_a_job_that_nobody_can_ask_about_is_overdue_in_the_end() -> None:
    class Away(ByJob):
        async def resume(self, ctx: Context, wait: Wait, answer: bytes | None = None) -> Results:
            raise RetryLater("unreachable")

    job, ledger, clock = Job(), MemoryLedger(), Time()
    vendor = vendor_with("a", "b")
    await run(Away(vendor, job), ledger, clock=clock)
    clock.advance(HOUR)
    assert await run(Away(vendor, job), ledger, clock=clock) == Again("unreachable")
    clock.advance(2 * HOUR)
    lease, ledger.lease = ledger.lease, 0.5
    assert await run(Away(vendor, job), ledger, clock=clock) == Again("no_time_left", after=0.0)  # says nothing of it
    ledger.lease = lease
    assert await run(Away(vendor, job), ledger, clock=clock) == Park(AttentionReason.KEEPS_FAILING, "job_overdue")
    job.over = True
    assert await run(ByJob(vendor, job), ledger, clock=clock) == Settled((ERASED,), effects=2)


async def test_a_lost_job_is_looked_up_before_it_is_started_again() -> None:
    class LookedUp(ByJob):
        async def look_up(self, ctx: Context, items: Sequence[Item]) -> Results | None:
            return Wait("job-1", ctx.now() + HOUR, ctx.now() + 3 * HOUR, "vendor_works") if self.job.started else None

    job = Job()
    served = manifest(actions={"erase": {"idempotency": "lookup_before_repeat"}})
    ledger = MemoryLedger()
    ledger.crash = Crash(at=8)  # begin, found, located, attempting: two steps each; then the wait is not stored
    processor = LookedUp(vendor_with("a", "b"), job)
    with pytest.raises(Crashed):
        await run(processor, ledger, by=served)
    assert job.started == 1
    assert ledger.wait is None
    assert await run(processor, ledger, by=served) == WAITING
    assert job.started == 1


async def test_verification_waits_until_it_makes_sense() -> None:
    served = manifest(actions={"erase": {"verify_after": 600}})
    ledger, clock = MemoryLedger(), Time()
    processor = VendorProcessor(vendor_with("a", "b"))
    due = Again("verify_due", Phase.WAITING_EXTERNAL, 600.0)
    assert await run(processor, ledger, by=served, clock=clock) == due
    assert await run(processor, ledger, by=served, clock=clock) == due
    clock.advance(timedelta(seconds=600))
    assert await run(processor, ledger, by=served, clock=clock) == Settled((ERASED,), effects=2)


async def test_nothing_to_verify_waits_for_nothing() -> None:
    served = manifest(actions={"erase": {"verify_after": 600}})
    assert isinstance(await run(VendorProcessor(Vendor()), by=served), Settled)


async def test_residue_found_late_waits_anew_after_its_own_pass() -> None:
    served = manifest(actions={"erase": {"verify_after": 600}})
    vendor = vendor_with("a", "b")
    vendor.lies = 1
    ledger, clock = MemoryLedger(), Time()
    processor = VendorProcessor(vendor)
    await run(processor, ledger, by=served, clock=clock)
    clock.advance(timedelta(seconds=600))
    assert await run(processor, ledger, by=served, clock=clock) == Again("verify_due", Phase.WAITING_EXTERNAL, 600.0)
    assert ledger.pass_no == 2
    clock.advance(timedelta(seconds=600))
    assert await run(processor, ledger, by=served, clock=clock) == Settled((ERASED,), effects=3)
