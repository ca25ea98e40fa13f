"""What every method of a processor is given as `ctx`: the task, its time, its keys, its limits."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from uuid import UUID, uuid5

from habeas.engine.ports import Clock, Ledger
from habeas.sdk import Identity, Item, RetryLater, Right, Task

# Names in this space are (task, step, item), from the second pass on with its number. The UUID is drawn once and must
# never change: vendors remember keys.
KEYS = UUID("5d0c1a5e-6f0e-5c6b-9a43-2f4d1be0a7c1")

_log = logging.getLogger("habeas.processor")


class TaskContext:
    """The engine's implementation of `habeas.sdk.Context`; safe to use from the thread of a plain method."""

    def __init__(
        self,
        task: Task,
        *,
        ledger: Ledger,
        clock: Clock,
        attempt: int,
        attempt_timeout: float,
        before_call: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Start the attempt's time; needs a running event loop."""
        self.task = task
        self.attempt = attempt
        self._loop = asyncio.get_running_loop()
        self.deadline = self._loop.time() + attempt_timeout
        self.log = logging.LoggerAdapter(_log, {"task_id": task.id, "processor": task.processor})
        self.effects_begun = False
        self.pass_no = 1
        self._ledger = ledger
        self._clock = clock
        self._before_call = before_call
        self._closed = False

    @property
    def right(self) -> Right:
        return self.task.right

    @property
    def identities(self) -> Sequence[Identity]:
        return self.task.identities

    @property
    def livemode(self) -> bool:
        return self.task.livemode

    def now(self) -> datetime:
        return self._clock.now()

    def today(self) -> date:
        return self._clock.now().date()

    def key(self, step: str, item: Item | None = None) -> UUID:
        # A vendor gives its first answer to a key again, so what is done anew in a further pass needs another key.
        further = (str(self.pass_no),) if self.pass_no > 1 else ()
        what = (item.category, item.ref) if item is not None else ("", "")
        return uuid5(KEYS, "\x1f".join((self.task.id, step, *what, *further)))

    def cancelled(self) -> bool:
        """Whether to stop before the next effect; False once an effect was begun, for then the task is finished."""
        return not self.effects_begun and self._ledger.cancelled()

    def close(self) -> None:
        """Let no further call begin: the engine gave up on this attempt while a thread may still run."""
        self._closed = True

    def time_left(self) -> float:
        if self._closed:
            return 0.0
        return min(self.deadline - self._loop.time(), self._ledger.lease_left())

    def require_time(self, seconds: float) -> None:
        if self.time_left() < seconds:
            raise RetryLater("no_time_left", after=0.0)

    async def before_effect(self) -> None:
        if self._before_call is not None:
            await self._before_call()
        self.require_time(1.0)

    def before_effect_in_thread(self) -> None:
        asyncio.run_coroutine_threadsafe(self.before_effect(), self._loop).result(max(self.time_left(), 0.0))
