"""The rate limit of one processor, shared by all its tasks in this process."""

import asyncio
from collections import deque


class RateLimit:
    """At most `calls` in any `per` seconds, first come first served; no limit when `calls` is None."""

    def __init__(self, calls: int | None, per: float) -> None:
        """Start with nothing called."""
        self._calls = calls
        self._per = per
        self._times: deque[float] = deque()
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        """Return when the next call may begin."""
        if self._calls is None:
            return
        async with self._turn:
            loop = asyncio.get_running_loop()
            if len(self._times) >= self._calls:
                await asyncio.sleep(max(self._times[0] + self._per - loop.time(), 0.0))
                self._times.popleft()
            self._times.append(loop.time())
