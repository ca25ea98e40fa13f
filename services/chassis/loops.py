"""Background loops: a step that says how much it did, woken at once when there is work, polling when there is none."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from services.chassis import metrics
from services.chassis.log import describe, get_logger

log = get_logger(__name__)

IDLE_MIN = 0.02
IDLE_MAX = 0.25
FAILURE_MAX = 5.0
# A step that neither ended nor failed for this long counts as stuck.
STUCK_AFTER = 60.0


class Wake:
    """A bell inside the process: rung after a commit, so that the next loop need not wait for its poll."""

    def __init__(self) -> None:
        """Make a silent bell."""
        self._event = asyncio.Event()

    def set(self) -> None:
        """Ring."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a ring, at most `seconds`; return whether it rang, and silence the bell."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


def obey_cancel() -> None:
    """Raise if this task was cancelled: some of aiokafka's calls swallow the cancel that reached them."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Loop:
    """Runs `step` for ever. A failing step is tried again with growing, jittered pauses; it never ends the process."""

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[int]],
        *,
        wake: Wake | None = None,
        idle: float = IDLE_MAX,
        stuck_after: float = STUCK_AFTER,
    ) -> None:
        """Take `step`: does one bounded piece of work and returns how much it was, 0 meaning that there was none."""
        self.name = name
        self._step = step
        self._wake = wake or Wake()
        self._idle = idle
        self._stuck_after = stuck_after
        self._progress = time.monotonic()

    @property
    def alive(self) -> bool:
        """Whether a step has ended lately."""
        return time.monotonic() - self._progress < self._stuck_after + self._idle

    async def run(self) -> None:
        """Run until cancelled."""
        pause = IDLE_MIN
        failures = 0
        while True:
            try:
                done = await self._step()
            except asyncio.CancelledError:
                obey_cancel()
                failures = await self._failed("Cancelled", failures)
                continue
            except Exception as error:  # noqa: BLE001  # whatever it was, the loop must outlive it
                obey_cancel()
                failures = await self._failed(describe(error), failures)
                continue
            obey_cancel()
            self._progress = time.monotonic()
            metrics.LOOP_STEPS.labels(self.name).inc()
            failures = 0
            if done:
                pause = IDLE_MIN
                await asyncio.sleep(0)
                continue
            rang = await self._wake.wait(min(pause, self._idle))
            self._progress = time.monotonic()
            pause = IDLE_MIN if rang else min(pause * 2, self._idle)

    async def _failed(self, error: str, failures: int) -> int:
        self._progress = time.monotonic()  # it failed, so it is not stuck; readiness tells of the cause
        metrics.LOOP_FAILURES.labels(self.name).inc()
        if failures < 3 or failures % 50 == 0:
            log.warning("loop.failed", loop=self.name, error=error, count=failures + 1)
        pause = min(0.05 * 2 ** min(failures, 10), FAILURE_MAX)
        await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311  # jitter, not a secret
        return failures + 1
