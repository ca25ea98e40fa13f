"""Sends due notices: claims them, hands each over once, records what came of it; held where nobody can know."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence

from services.chassis.faultpoints import faultpoint
from services.chassis.log import describe, get_logger
from services.chassis.loops import Wake
from services.notifier.domain.notices import Bounced, Claim, Later, Tried, Unknown, Verdict, pause_before
from services.notifier.handlers import metrics
from services.notifier.handlers.ports import Channel, Letter, SendingStore, Unwritable
from services.notifier.handlers.together import Together
from services.notifier.handlers.write_letter import WriteLetter

log = get_logger(__name__)

FINISH_WITHIN = 6.0  # what is on its way when the service is told to stop
GIVE_BACK_WITHIN = 3.0
TAKE_OVER_AT_ONCE = 200
ROOM_WITHIN = 0.2


class SendNotices:
    """A loop's step. `worker` names the lease that makes its claims good; `room` is how many it takes at once."""

    def __init__(
        self,
        store: SendingStore,
        writer: WriteLetter,
        channel: Channel,
        *,
        worker: str,
        room: int,
        pauses: Sequence[float],
        wake: Wake,
        announced: Callable[[], None],
    ) -> None:
        """Send by `channel`; `announced` rings when there are reports to relay."""
        self._store = store
        self._writer = writer
        self._channel = channel
        self._worker = worker
        self._room = room
        self._pauses = pauses
        self._wake = wake
        self._announced = announced
        self._tasks: dict[asyncio.Task[None], Claim] = {}
        self._leaving: set[str] = set()
        self._hand_overs: Together[Claim, bool] = Together(self._hand_over)
        self._results: Together[Tried, None] = Together(self._record)

    async def step(self) -> int:
        """Claim as many as there is room for and start on them; return how many."""
        room = self._room - len(self._tasks)
        if room <= 0:
            await asyncio.wait(self._tasks, timeout=ROOM_WITHIN, return_when=asyncio.FIRST_COMPLETED)
            return 0
        claims = await self._store.claim(self._worker, room)
        if claims:
            faultpoint("notifier.claimed")
        for claim in claims:
            task = asyncio.create_task(self._one(claim))
            self._tasks[task] = claim
            task.add_done_callback(self._ended)
        return len(claims)

    async def take_over(self) -> int:
        """A step of its own: deal with what senders left behind that are gone; return how many."""
        freed, lost = await self._store.take_over(TAKE_OVER_AT_ONCE)
        metrics.TAKEN_OVER.labels("claimed").inc(freed)
        metrics.TAKEN_OVER.labels("handing_over").inc(len(lost))
        for one in lost:
            log.error("notice.unknown", notice_id=one.notice_id, request_id=one.request_id, reason=one.reason)
        if freed:
            self._wake.set()
        if lost:
            metrics.ANSWERED.labels("unknown").inc(len(lost))
            self._announced()
        return freed + len(lost)

    async def close(self) -> None:
        """Let what is on its way arrive, give the other claims back, let the connections go."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FINISH_WITHIN)
        unfinished = dict(self._tasks)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        # What was leaving stays as it is: whoever takes over says that it is unknown.
        back = [Tried(one, Later("stopped")) for one in unfinished.values() if one.notice_id not in self._leaving]
        if back:
            try:
                async with asyncio.timeout(GIVE_BACK_WITHIN):
                    await self._store.record(back)
            except Exception as error:  # noqa: BLE001  # the take-over frees them as well, only later
                log.warning("notices.not_given_back", count=len(back), error=describe(error))
        await self._channel.close()

    async def _one(self, claim: Claim) -> None:
        """Carry one claim to its end. Never raises: a claim must not stay without a result while this process lives."""
        started = time.monotonic()
        try:
            verdict = await self._attempt(claim)
        except Exception as error:  # noqa: BLE001  # a defect of ours; what may have left is unknown, not lost
            log.error("notice.failed", notice_id=claim.notice_id, error=describe(error))
            verdict = Unknown("internal") if claim.notice_id in self._leaving else Later("internal")
        metrics.HAND_OVER_SECONDS.observe(time.monotonic() - started)
        wait = 0.0
        if isinstance(verdict, Later):
            wait = pause_before(claim.attempts, self._pauses) * random.uniform(0.9, 1.1)  # noqa: S311  # jitter
        await self._keep(Tried(claim, verdict, wait))
        self._leaving.discard(claim.notice_id)

    async def _attempt(self, claim: Claim) -> Verdict:
        written = self._writer.write(claim)
        if isinstance(written, Unwritable):
            return Bounced(written.reason)
        if not isinstance(written, Letter):
            return written

        async def may_leave() -> bool:
            if not await self._hand_overs.ask(claim):
                return False
            # Before this nothing has left, even where the commit's answer was lost: such a row can be put back.
            self._leaving.add(claim.notice_id)
            faultpoint("notifier.handing_over")
            return True

        verdict = await self._channel.deliver(written, may_leave)
        faultpoint("notifier.accepted")
        return verdict

    async def _hand_over(self, claims: Sequence[Claim]) -> list[bool]:
        allowed = await self._store.hand_over(self._worker, claims)
        return [one.notice_id in allowed for one in claims]

    async def _keep(self, tried: Tried) -> None:
        """Store a result, however long it takes: it is known here alone."""
        failures = 0
        while True:
            try:
                await self._results.ask(tried)
            except Exception as error:  # noqa: BLE001  # the database is away
                failures += 1
                if failures == 1:
                    log.warning("notice.result_waits", notice_id=tried.claim.notice_id, error=describe(error))
                await asyncio.sleep(min(0.1 * 2**failures, 2.0))
            else:
                return

    async def _record(self, tries: Sequence[Tried]) -> list[None]:
        answered = await self._store.record(tries)
        faultpoint("notifier.recorded")
        for one in answered:
            metrics.ANSWERED.labels(one.state.value).inc()
            write = log.info if one.state == "sent" else log.warning
            write(f"notice.{one.state.value}", notice_id=one.notice_id, request_id=one.request_id, reason=one.reason)
        for tried in tries:
            if isinstance(tried.verdict, Later):
                metrics.POSTPONED.labels(tried.verdict.reason).inc()
                log.info(
                    "notice.postponed",
                    notice_id=tried.claim.notice_id,
                    reason=tried.verdict.reason,
                    attempt=tried.claim.attempts,
                )
        if answered:
            self._announced()
        return [None] * len(tries)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        self._wake.set()
