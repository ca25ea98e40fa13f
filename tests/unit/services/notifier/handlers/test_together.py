"""Writes of many become one."""

import asyncio
from collections.abc import Sequence

import pytest

from services.notifier.handlers.together import Together


async def test_what_waits_during_one_write_goes_together_with_the_next() -> None:
    batches: list[list[int]] = []
    started, go = asyncio.Event(), asyncio.Event()

    async def work(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        started.set()
        await go.wait()
        return [item * 10 for item in items]

    together: Together[int, int] = Together(work)
    asked = [asyncio.create_task(together.ask(number)) for number in range(5)]
    await started.wait()
    late = [asyncio.create_task(together.ask(number)) for number in range(5, 8)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*asked, *late) == [0, 10, 20, 30, 40, 50, 60, 70]
    assert batches == [[0, 1, 2, 3, 4], [5, 6, 7]]


async def test_a_failure_reaches_those_of_its_write_alone() -> None:
    failing = True

    async def work(items: Sequence[int]) -> list[int]:
        if failing:
            raise ConnectionError
        return list(items)

    together: Together[int, int] = Together(work)
    with pytest.raises(ConnectionError):
        await together.ask(1)
    failing = False
    assert await together.ask(2) == 2


async def test_one_who_was_cancelled_does_not_spoil_the_write_for_others() -> None:
    started, go = asyncio.Event(), asyncio.Event()

    async def work(items: Sequence[int]) -> list[int]:
        started.set()
        await go.wait()
        return list(items)

    together: Together[int, int] = Together(work)
    first, second = (asyncio.create_task(together.ask(number)) for number in (1, 2))
    await started.wait()
    first.cancel()
    go.set()
    assert await second == 2
