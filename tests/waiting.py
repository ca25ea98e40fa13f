"""Waits on conditions and ends, for tests of things that happen elsewhere: never a sleep that hopes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

PAUSE = 0.02
CANCEL_AGAIN = 30.0  # seconds, longer than anything takes that stops in order


async def until(holds: Callable[[], Awaitable[bool]] | Callable[[], bool], *, within: float = 60.0) -> None:
    """Return once `holds` does; raise TimeoutError when it does not `within` so many seconds."""
    async with asyncio.timeout(within):
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(PAUSE)


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """Return once `tasks` were cancelled and have ended, whatever they ended with.

    They are cancelled again where a driver swallowed it: aiokafka does while it opens and closes a client.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)
