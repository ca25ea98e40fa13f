"""The engine's place for exports: each attempt writes one sealed object, and leaves nothing unless it was finished."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self

from contracts.exports import path_of
from contracts.seal import SealedSubject
from habeas.engine import ExportReceipt, LeaseLost
from habeas.sdk import CannotFulfil, File, Record, RetryLater
from services.chassis.crypto.seal import BrokenSeal
from services.chassis.exports import ExportWriter
from services.chassis.faultpoints import faultpoint
from services.chassis.objects import ObjectStore, ObjectTooLarge, StoreAway, Upload
from services.connectors.domain.claimed import Claimed

SMALL = 1 << 20  # bytes that any number of exports may hold
LARGE_AT_ONCE = 4  # exports that may hold more, a part that fills and one that is sent each
TURN_WITHIN = 30.0  # seconds that an export waits for its turn to grow; then its task makes room and comes again
BUSY_PAUSE = 15.0
EXPORTS_BUSY = "exports_busy"


class Attempt(Protocol):
    """What an export asks of the memory of its task."""

    async def exporting(self) -> None:
        """Remember, durably, that this task may leave objects; raise `LeaseLost` where it is another worker's."""

    def lease_left(self) -> float:
        """Return the seconds for which this worker may still act."""

    def cancelled(self) -> bool:
        """Whether a cancel arrived."""


@dataclass(frozen=True, slots=True)
class Place:
    """The store of this host, and the turns that keep its memory flat."""

    store: ObjectStore
    turns: asyncio.Semaphore

    @classmethod
    def of(cls, store: ObjectStore | None) -> "Place | None":
        """Return the place that is `store`; None where there is none."""
        return None if store is None else cls(store, asyncio.Semaphore(LARGE_AT_ONCE))

    def attempt(self, task: Claimed, subject: SealedSubject, memory: Attempt) -> "AttemptExports":
        """Return the export of this try at `task`; raise `BrokenSeal` where the seal brought no key for it."""
        return AttemptExports(self, task.id, task.fence, _key(subject), memory)


class AttemptExports:
    """One attempt's export, within `async with`: what was not finished when the block ends is taken back.

    Raises `LeaseLost`, `RetryLater` while the store is away or the task is cancelled, and `CannotFulfil`. `away` is
    why the store could not take it.
    """

    def __init__(self, place: Place, task_id: str, fence: int, key: bytes, memory: Attempt) -> None:
        """Write under `fence`, which names the attempt."""
        self._place = place
        self._task_id = task_id
        self._fence = fence
        self._memory = memory
        self._writer = ExportWriter(key)
        self._upload: Upload | None = None
        self._size = 0
        self._large = False
        self.away: str | None = None
        self.finished = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        upload, self._upload = self._upload, None
        try:
            if upload is not None:
                await upload.close()
        finally:
            if self._large:
                self._place.turns.release()

    async def begin(self) -> None:
        """Begin; the row of the task says so before a byte is stored, so that no crash can hide an object."""
        await self._memory.exporting()
        self._upload = self._place.store.upload(path_of(self._task_id, self._fence))
        faultpoint("exports.begun")

    async def record(self, record: Record) -> None:
        """Append a record; `ValueError` also where it takes more than `MOST_BLOCK` bytes."""
        await self._put(self._writer.record(record.item.category, record.fields))

    async def file(self, file: File, chunks: AsyncIterator[bytes]) -> None:
        """Append a file, a chunk in memory at a time."""
        await self._put(self._writer.file(file.item.category, file.media_type))
        async for chunk in chunks:
            await self._put(self._writer.data(chunk))
        await self._put(self._writer.file_end())

    async def finish(self) -> ExportReceipt:
        """Return what was written, once the store has the whole of it."""
        await self._put(self._writer.end())
        self._may_go_on()
        await self._told(self._open_upload().commit)
        self.finished = True
        faultpoint("exports.written")
        written = self._writer.receipt(self._fence)
        return ExportReceipt(**written.model_dump())

    async def _put(self, pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            if piece:
                self._may_go_on()
                await self._grow(len(piece))
                await self._told(self._open_upload().write, piece)

    async def _grow(self, size: int) -> None:
        self._size += size
        if self._large or self._size <= SMALL:
            return
        try:
            async with asyncio.timeout(TURN_WITHIN):
                await self._place.turns.acquire()
        except TimeoutError:
            raise RetryLater(EXPORTS_BUSY, after=BUSY_PAUSE) from None
        self._large = True

    def _may_go_on(self) -> None:
        if self._memory.lease_left() <= 0:
            raise LeaseLost
        if self._memory.cancelled():
            raise RetryLater("cancelled", after=0.0)  # the next try answers the cancel

    def _open_upload(self) -> Upload:
        if self._upload is None:
            msg = "begin comes first"
            raise RuntimeError(msg)
        return self._upload

    async def _told(self, call: Callable[..., Awaitable[None]], *arguments: bytes) -> None:
        try:
            await call(*arguments)
        except StoreAway as error:
            self.away = f"export_store_{error.reason}"
            raise RetryLater(self.away) from None
        except ObjectTooLarge:
            raise CannotFulfil("export_too_large") from None


def _key(subject: SealedSubject) -> bytes:
    try:
        key = base64.urlsafe_b64decode((subject.export_key or "") + "==")
    except ValueError:
        raise BrokenSeal from None
    if len(key) != 32:
        raise BrokenSeal
    return key
