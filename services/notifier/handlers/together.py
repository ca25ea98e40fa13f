"""Lets many tasks write to the database as one: what they want while a write is under way goes with the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class Together(Generic[ItemT, ResultT]):
    """Calls `work` with the items of all who wait; `work` returns one result for each, in their order."""

    def __init__(self, work: Callable[[Sequence[ItemT]], Awaitable[Sequence[ResultT]]]) -> None:
        """Gather for `work`."""
        self._work = work
        self._waiting: list[tuple[ItemT, asyncio.Future[ResultT]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def ask(self, item: ItemT) -> ResultT:
        """Return what `work` made of `item`; raises what `work` raised."""
        future: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await future

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                results = await self._work([item for item, _ in batch])
            except Exception as error:  # noqa: BLE001  # everyone who waits is told
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)
