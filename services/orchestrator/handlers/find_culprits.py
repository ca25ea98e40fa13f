"""Does a batch without the members that spoil it: one request that can not be dealt with stops no other."""

from collections.abc import Awaitable, Callable, Sequence

from services.chassis.postgres.pool import TRANSIENT


async def without_culprits(
    requests: Sequence[str],
    do: Callable[[Sequence[str]], Awaitable[int]],
    set_aside: Callable[[str, Exception], Awaitable[None]],
) -> int:
    """Do a batch that has failed as a whole by halves; return how much was done.

    `do` deals with some requests in a transaction of its own; where that fails for good with a single one, `set_aside`
    is told which and why. What will pass by itself (`TRANSIENT`) is raised.
    """
    middle, done = len(requests) // 2, 0
    for half in (requests[:middle], requests[middle:]):
        if not half:
            continue
        try:
            done += await do(half)
        except TRANSIENT:
            raise
        except Exception as error:  # noqa: BLE001  # unknown: halve it until one is left
            if len(half) == 1:
                await set_aside(half[0], error)
            else:
                done += await without_culprits(half, do, set_aside)
    return done
