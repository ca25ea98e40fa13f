"""Calls a processor's methods: plain ones in a thread of their own, all within the time left, defects told apart."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from types import TracebackType
from typing import Any, Generic, TypeVar

from habeas.engine.context import TaskContext
from habeas.engine.ports import LeaseLost
from habeas.sdk import File, ProcessorError, RetryLater
from habeas.sdk.http import LEAST_TIME

T = TypeVar("T")

# How many things are taken from a plain iterable per trip into its thread.
PULL = 100


class Defect(Exception):
    """A processor did what it must not: raised an undeclared error, or answered out of shape.

    `reason` is the class name of the error or a machine word: its text may quote a subject, so it stays out.
    """

    def __init__(self, reason: str) -> None:
        """Take the name only."""
        self.reason = reason
        super().__init__(reason)


class OutOfTime(Exception):
    """The attempt's time ran out inside a call."""


class NoAnswer(Exception):
    """A method that may leave its work to the engine did so."""


class Caller:
    """Calls the methods of one processor for one task. Close it when the task is put down."""

    def __init__(self, ctx: TaskContext, *, grace: float) -> None:
        """Take `grace`: seconds that a thread gets to end by itself after the attempt's time ran out."""
        self._ctx = ctx
        self._grace = grace
        self._thread: ThreadPoolExecutor | None = None
        self._alarm = _Alarm(ctx.deadline)

    def close(self) -> None:
        """Let the thread go; it can begin no further call that asks the context first."""
        self._ctx.close()
        self._alarm.close()
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def answer(self, method: Callable[..., Awaitable[Any] | Any], *args: Any) -> Any:
        """Return what `method(ctx, *args)` answers, be it async or plain; its shape is the caller's to check."""
        self._ctx.require_time(LEAST_TIME)
        with _told_apart:
            if inspect.iscoroutinefunction(method):
                return await self._in_time(method(self._ctx, *args))
            answer = await self._threaded(lambda: method(self._ctx, *args))
            if inspect.isawaitable(answer):
                return await self._in_time(answer)
            return answer

    async def stream(
        self,
        method: Callable[..., AsyncIterator[T] | Iterable[T] | None],
        *args: Any,
    ) -> AsyncIterator[T]:
        """Yield what `method(ctx, *args)` yields, be it an async iterator or any iterable; raise `NoAnswer` on None."""
        self._ctx.require_time(LEAST_TIME)
        found: AsyncIterator[T] | Iterable[T] | None
        with _told_apart:
            if inspect.isasyncgenfunction(method):
                found = method(self._ctx, *args)
            else:
                found = await self._threaded(lambda: method(self._ctx, *args))
        if found is None:
            raise NoAnswer
        source = found if isinstance(found, AsyncIterator) else _Pulled(self, found)
        try:
            while True:
                with _told_apart:
                    step = anext(source, _END)
                    thing = await (step if isinstance(source, _Pulled) else self._in_time(step))
                if thing is _END:
                    return
                yield thing
        finally:
            if inspect.isasyncgen(source):
                await source.aclose()

    async def chunks(self, source: AsyncIterator[bytes] | Iterable[bytes]) -> AsyncIterator[bytes]:
        """Yield the bytes of a file that a processor exports, judged and within the time as its methods are.

        May be advanced in any task: it brings a deadline of its own.
        """
        pieces = source if isinstance(source, AsyncIterator) else _Pulled(self, source, most=1)
        try:
            while True:
                with _told_apart:
                    piece = await self._before_deadline(anext(pieces, _END))
                if piece is _END:
                    return
                if not isinstance(piece, bytes | bytearray | memoryview):
                    raise Defect("chunks_not_bytes")
                yield bytes(piece)
        finally:
            if inspect.isasyncgen(source):
                await source.aclose()

    async def _before_deadline(self, awaitable: Awaitable[T]) -> T:
        deadline = asyncio.timeout_at(self._ctx.deadline)
        try:
            async with deadline:
                return await awaitable
        except TimeoutError:
            if deadline.expired():
                raise OutOfTime from None
            raise

    async def _in_time(self, awaitable: Awaitable[T]) -> T:
        return await self._alarm.within(awaitable)

    async def _threaded(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="habeas-processor")
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._thread, copy_context().run, _without_stop(work))
        future.add_done_callback(_seen)
        try:
            done, _ = await asyncio.wait({future}, timeout=max(self._ctx.deadline - loop.time(), 0.0))
            if not done:
                self._ctx.close()
                done, _ = await asyncio.wait({future}, timeout=self._grace)
        except asyncio.CancelledError:
            future.add_done_callback(_unwanted)
            raise
        if not done:
            future.add_done_callback(_unwanted)
            raise OutOfTime
        return future.result()


class _Alarm:
    """Cancels the call under way when the attempt's time is over: one timer for all calls, since they share its end."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._timer: asyncio.TimerHandle | asyncio.Handle | None = None
        self._task: asyncio.Task[Any] | None = None
        self._under_way: asyncio.Task[Any] | None = None
        self._rang = False

    async def within(self, awaitable: Awaitable[T]) -> T:
        """Return what `awaitable` gives; raise `OutOfTime` when it was cancelled because the time is over."""
        if self._task is None:
            self._task = asyncio.current_task()
        task = self._task
        assert task is not None  # noqa: S101  # a coroutine runs in a task, and an attempt in one
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(self._deadline, self._ring)
        elif self._rang:
            self._timer = asyncio.get_running_loop().call_soon(self._ring)
        cancels, self._under_way = task.cancelling(), task
        rang, self._rang = self._rang, False
        try:
            return await awaitable
        except asyncio.CancelledError:
            if self._rang and task.uncancel() <= cancels:
                raise OutOfTime from None
            raise
        finally:
            self._under_way = None
            self._rang = self._rang or rang

    def close(self) -> None:
        """Ring no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _ring(self) -> None:
        self._rang = True
        if self._under_way is not None:
            self._under_way.cancel()


_END: Any = object()  # the end of a stream: processors cannot yield it


def _without_stop(work: Callable[[], T]) -> Callable[[], T]:
    """Return `work` with StopIteration named as the defect it is: a future cannot carry it."""

    def guarded() -> T:
        try:
            return work()
        except StopIteration:
            raise Defect("StopIteration") from None

    return guarded


def _seen(future: asyncio.Future[Any]) -> None:
    """Take a late error of an abandoned thread, or asyncio would log its text."""
    if not future.cancelled():
        future.exception()


def _unwanted(future: asyncio.Future[Any]) -> None:
    """Close a coroutine that comes too late to be awaited."""
    if not future.cancelled() and future.exception() is None and inspect.iscoroutine(future.result()):
        future.result().close()


class _Pulled(Generic[T]):
    """An async iterator over a plain iterable, advanced in the processor's thread."""

    def __init__(self, caller: Caller, things: Iterable[T], *, most: int = PULL) -> None:
        self._caller = caller
        self._things = things
        self._most = most
        self._iterator: Iterator[T] | None = None
        self._ready: list[T] = []

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        if not self._ready:
            self._ready = await self._caller._threaded(self._pull)  # noqa: SLF001 - one mechanism in two classes
            self._ready.reverse()
        if not self._ready:
            raise StopAsyncIteration
        return self._ready.pop()

    def _pull(self) -> list[T]:
        """Take what comes next; a file ends the trip, for it is read before its source may go on."""
        if self._iterator is None:
            self._iterator = iter(self._things)
        pulled: list[T] = []
        for thing in islice(self._iterator, self._most):
            pulled.append(thing)
            if isinstance(thing, File):
                break
        return pulled


class _ToldApart:
    """Lets what a processor may raise pass, and turns everything else into a `Defect` without its text."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Judge what was raised."""
        if error is None or isinstance(error, ProcessorError | LeaseLost | OutOfTime | Defect | asyncio.CancelledError):
            return
        if isinstance(error, TimeoutError):
            raise RetryLater("timeout") from None
        if isinstance(error, Exception):  # any other error is the processor's defect, whatever it is
            raise Defect(type(error).__name__) from None


_told_apart = _ToldApart()
