"""Networks: throttled, slow, silent, hostile, mute after the work was done; at any call of a task."""

import asyncio
import inspect
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from habeas.engine import Again, Park, Settled
from habeas.engine.context import TaskContext
from habeas.sdk import Action, CredentialsRejected, Processor, ProcessorError
from habeas.testing import faults
from habeas.testing.faults import Fault
from habeas.testing.memory import MemoryLedger
from habeas.testing.rules.kit import Kit, WatchedLedger, all_gone, counted
from habeas.testing.trial import Trial
from habeas.testing.vendor import NotArranged, VendorUnderTest
from habeas.vocabulary import AttentionReason

# Retry-After as vendors send it, and worse: RFC 9110 10.2.3 allows seconds and a date.
FORMS = ("seconds", "date", "negative", "absurd", "unreadable", "none")
ASKED = {"seconds": 7.0, "date": 60.0}
SLOW = 5.0  # seconds that may go by on a busy machine between the writing of a date and its reading
# Seconds of lease that a silent vendor is given: calls end a second before it does.
SHORT_LEASE = 2.2


class NetworkRules(Kit):
    """What must hold whatever a network or a vendor answers."""

    @pytest.mark.parametrize("form", FORMS)
    def test_a_throttled_call_waits_within_bounds(self, form: str) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            verdict = await _under(vendor, "rate_limited", faults.throttled(_retry_after(form)))
            again = _tried_again(verdict, "the vendor answered 429")
            assert again.after is None or 1.0 <= again.after <= 86_400.0, (
                f"a Retry-After ({form}) made it wait {again.after} seconds: read it by habeas.sdk.retry_after"
            )
            asked = ASKED.get(form)
            if asked is not None:
                assert again.after is not None, f"the vendor asked for {asked} s: hand them on in RetryLater(after=...)"
                assert asked - SLOW <= again.after <= asked + 1.0, (
                    f"the vendor asked for {asked} seconds ({form}) and is called again after {again.after}: read what "
                    "it says by habeas.sdk.retry_after"
                )

        self._tell(story, Action.ERASE)

    @pytest.mark.parametrize("kind", ["hanging", "slow"])
    def test_a_vendor_that_does_not_answer_holds_nobody_up(self, kind: str) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            fault = faults.silent() if kind == "hanging" else faults.trickling()
            verdict = await _under(vendor, kind, fault, lease=SHORT_LEASE)
            _tried_again(verdict, "the vendor did not answer in time")

        self._tell(story, Action.ERASE)

    @pytest.mark.parametrize("kind", ["unreachable", "http_503", "gzip_bomb", "half_json", "html"])
    def test_an_answer_that_can_not_be_read_is_tried_again(self, kind: str) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            verdict = await _under(vendor, kind, _hostile(kind))
            _tried_again(verdict, f"the vendor's answer was hostile ({kind})")

        self._tell(story, Action.ERASE)

    def test_a_redirect_is_not_followed_and_is_no_answer(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            verdict = await _under(vendor, "redirect", faults.redirected())
            assert not isinstance(verdict, Settled), (
                f"the vendor answered with a redirect and the task ended with {verdict}: judge every status that is "
                "not the one you expect"
            )

        self._tell(story, Action.ERASE)

    @pytest.mark.parametrize("kind", ["lost_reply", "html", "half_json", "http_503"])
    def test_a_fault_at_any_call_changes_nothing_of_how_it_ends(self, kind: str) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            whole, calls, effect = await _calm(vendor)
            for number in self._some_of(calls, surely=effect):
                trial = Trial(vendor, await vendor.person())
                await vendor.suffer(kind, _hostile(kind), at=number)
                verdict = all_gone(await trial.finish(), vendor)
                await vendor.recover()
                left = await vendor.remains(trial.identities)
                assert left == 0, f"{kind} at call {number} of {calls}, and the vendor still holds {left}"
                assert counted(verdict) == whole or not self.people_are_alike, (
                    f"{kind} at call {number} of {calls} made it count {counted(verdict)}, not {whole}"
                )

        self._tell(story, Action.ERASE)

    def test_refused_credentials_wait_for_a_person(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            verdict = await _under(vendor, "unauthorised", faults.broken(401))
            assert isinstance(verdict, Park), (
                f"the vendor refused our credentials and it told {verdict}: raise CredentialsRejected"
            )
            assert verdict.attention is AttentionReason.CREDENTIALS_REJECTED, (
                f"the vendor refused our credentials and it was parked for {verdict.attention}: raise "
                "CredentialsRejected"
            )

        self._tell(story, Action.ERASE)

    def test_check_proves_reach_and_credentials(self) -> None:
        async def story(vendor: VendorUnderTest) -> None:
            await _check(vendor)
            await _opened_once(vendor)
            await vendor.suffer("unauthorised", faults.broken(401))
            told = await _raised_by_check(vendor)
            assert isinstance(told, CredentialsRejected), (
                f"the vendor refused our credentials and `check` raised {type(told).__name__}: let it make a call that "
                "needs them, and raise CredentialsRejected"
            )
            await vendor.suffer("unreachable", faults.refused())
            told = await _raised_by_check(vendor)
            assert isinstance(told, ProcessorError), "the vendor was out of reach and `check` found nothing wrong"
            await vendor.recover()

        self._tell(story)


async def _under(vendor: VendorUnderTest, trouble: str, fault: Fault, *, lease: float = 3_600.0) -> object:
    """Return what the first run comes to under `fault`; without it the task must then end well."""
    await _opened_once(vendor)
    trial = Trial(vendor, await vendor.person(), ledger=MemoryLedger(lease=lease))
    before = await vendor.remains(trial.identities)
    await vendor.suffer(trouble, fault)
    verdict = await trial.run()
    await vendor.recover()
    assert await vendor.remains(trial.identities) == before, f"{trouble} at every call, and something changed"
    if isinstance(verdict, Again):
        trial.ledger.lease = 3_600.0
        all_gone(await trial.finish(), vendor)
        assert await vendor.remains(trial.identities) == 0, f"after {trouble} the vendor still holds something"
    return verdict


def _tried_again(verdict: object, what: str) -> Again:
    assert isinstance(verdict, Again), f"{what} and it told {verdict}: raise RetryLater, for nobody knows what is there"
    assert not verdict.counts, (
        f"{what} and it ended in a defect ({verdict.reason}): raise RetryLater; Answer.json() does so by itself"
    )
    return verdict


async def _calm(vendor: VendorUnderTest) -> tuple[int, int, int | None]:
    """Return what a calm task counts, how many calls it takes, and which of them is the first effect."""
    await _opened_once(vendor)
    await vendor.recover()
    ledger = WatchedLedger(vendor=vendor)
    whole = counted(await Trial(vendor, await vendor.person(), ledger=ledger).finish())
    if not vendor.calls:
        raise NotArranged("give `transport=self.transport()` to Http in open() of your VendorUnderTest")
    return whole, vendor.calls, ledger.effect_at


async def _opened_once(vendor: VendorUnderTest) -> None:
    async with vendor.open():
        pass


def _retry_after(form: str) -> str | None:
    match form:
        case "seconds":
            return "7"
        case "date":
            return format_datetime(datetime.now(UTC) + timedelta(seconds=ASKED["date"]), usegmt=True)
        case "negative":
            return "-5"
        case "absurd":
            return "99999999999"
        case "unreadable":
            return "soon"
        case _:
            return None


def _hostile(kind: str) -> Fault:
    match kind:
        case "unreachable":
            return faults.refused()
        case "http_503":
            return faults.broken(503)
        case "gzip_bomb":
            return faults.gzip_bomb()
        case "half_json":
            return faults.half_an_answer()
        case "html":
            return faults.broken(200)
        case _:
            return faults.reply_lost()


async def _raised_by_check(vendor: VendorUnderTest) -> Exception | None:
    try:
        await _check(vendor)
    except ProcessorError as error:
        return error
    return None


async def _check(vendor: VendorUnderTest) -> None:
    trial = Trial(vendor, await vendor.nobody())
    async with vendor.open() as processor:
        if type(processor).check is Processor.check:
            raise NotArranged("write `check` in your processor: a harmless call that proves reach and credentials")
        ctx = TaskContext(trial.task, ledger=trial.ledger, clock=trial.clock, attempt=1, attempt_timeout=60.0)
        if inspect.iscoroutinefunction(processor.check):
            await processor.check(ctx)
        else:
            answer = await asyncio.to_thread(processor.check, ctx)
            if answer is not None:
                await answer
