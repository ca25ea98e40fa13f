"""A loop outlives its step's failures, is woken by its bell, and ends when it is told to."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from services.chassis.loops import Loop, Wake
from tests.waiting import until


async def running(loop: Loop, condition: Callable[[], bool]) -> None:
    """Run `loop` until `condition` holds, then end it."""
    task = asyncio.create_task(loop.run())

    async def holds() -> bool:
        return condition()

    try:
        await until(holds, within=30)
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=30)
    assert task.cancelled()


def failing(error: BaseException, seen: list[str]) -> Callable[[], Awaitable[int]]:
    async def step() -> int:
        seen.append("step")
        if len(seen) == 1:
            raise error
        return 0

    return step


@pytest.mark.parametrize("error", [RuntimeError(), TimeoutError(), asyncio.CancelledError()])
async def test_goes_on_after_a_failing_step(error: BaseException) -> None:
    seen: list[str] = []
    await running(Loop("probe", failing(error, seen)), lambda: len(seen) > 2)


async def test_runs_at_once_again_while_there_is_work() -> None:
    left = [200]

    async def step() -> int:
        left[0] -= 1
        return max(left[0], 0)

    await running(Loop("probe", step, idle=30), lambda: left[0] <= 0)


async def test_a_ring_wakes_it() -> None:
    wake, steps = Wake(), [0]

    async def step() -> int:
        steps[0] += 1
        return 0

    loop = Loop("probe", step, wake=wake, idle=3600)
    task = asyncio.create_task(loop.run())

    async def rested() -> bool:
        before = steps[0]
        await asyncio.sleep(0.2)  # longer than its shortest pauses: it is idle when nothing moves meanwhile
        return steps[0] == before

    await until(rested)
    before = steps[0]
    wake.set()

    async def woken() -> bool:
        return steps[0] > before

    await until(woken)
    task.cancel()
    await asyncio.wait([task])


async def test_a_step_that_swallows_a_cancel_does_not_keep_it_running() -> None:
    entered = asyncio.Event()

    async def step() -> int:
        entered.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            return 1
        return 0

    task = asyncio.create_task(Loop("probe", step).run())
    await entered.wait()
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=30)
    assert done


async def test_a_stuck_step_is_not_called_alive() -> None:
    loop = Loop("probe", lambda: asyncio.Event().wait(), stuck_after=1.0, idle=0.01)
    task = asyncio.create_task(loop.run())
    assert loop.alive

    async def dead() -> bool:
        return not loop.alive

    await until(dead, within=30)
    task.cancel()
    await asyncio.wait([task])
