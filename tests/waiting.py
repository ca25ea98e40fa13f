"""Waits on conditions, for tests of things that happen elsewhere: never a sleep that hopes."""

import asyncio
from collections.abc import Awaitable, Callable

PAUSE = 0.02


async def until(condition: Callable[[], Awaitable[bool]], *, within: float = 60.0) -> None:
    """Return once `condition` holds; raise TimeoutError when it does not `within` so many seconds."""
    async with asyncio.timeout(within):
        while not await condition():  # noqa: ASYNC110  # what is waited for lies in another process
            await asyncio.sleep(PAUSE)
